"""The user's own pictures: a CSV file of picture files and the prompts that asked for them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qoe_service.errors import BadImage, QoEError
from qoe_service.images import ImageLimits, Picture, decode

COLUMNS = ("image", "prompt")


class ItemFileError(QoEError):
    """A file of items is wrong: every bad row, by its line."""


@dataclass(frozen=True)
class FiledItem:
    """A picture file and its prompt; the file is read when its picture is needed."""

    image: Path
    prompt: str
    limits: ImageLimits

    def picture(self) -> Picture:
        """The picture. Raises `BadImage` or `OSError`."""
        return decode(self.image.read_bytes(), self.limits)


def read_items(
    path: Path, limits: ImageLimits, *, max_prompt_characters: int
) -> tuple[FiledItem, ...]:
    """The items of a CSV file with columns image and prompt; others are not looked at.

    Paths of pictures are relative to the file. Every picture is tried.

    Raises:
        ItemFileError: naming what is wrong with the file, or every line that is wrong.
        OSError: if the file cannot be read.
    """
    items, wrong = [], []
    for line, row in _rows(path):
        flaw = _flaw(row, max_prompt_characters)
        if flaw is None:
            item = FiledItem(path.parent / row["image"].strip(), row["prompt"].strip(), limits)
            flaw = _unreadable(item)
            items.append(item)
        if flaw is not None:
            wrong.append(f"{path}:{line}: {flaw}")
    if wrong:
        raise ItemFileError("\n".join(wrong))
    if not items:
        raise ItemFileError(f"{path}: no items; give a picture and its prompt in every line")
    return tuple(items)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line on which it ends."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text), strict=True)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ItemFileError(
                f"{path}:1: no column {' and no column '.join(missing)}; the first line must be "
                f"'{','.join(COLUMNS)}'"
            )
        for row in reader:
            yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise ItemFileError(f"{path}: not UTF-8 ({error}); save it as UTF-8") from None
    except csv.Error as error:
        raise ItemFileError(f"{path}:{reader.reader.line_num}: not CSV ({error})") from None


def _flaw(row: dict[str, str], max_prompt_characters: int) -> str | None:
    if None in row or None in row.values():
        return "another number of fields than the first line has; quote a prompt with commas"
    if not row["image"].strip():
        return "no picture is named"
    prompt = row["prompt"].strip()
    if not prompt:
        return "empty prompt; say what the picture was asked to show"
    if len(prompt) > max_prompt_characters:
        return f"prompt of {len(prompt)} characters; at most {max_prompt_characters} are accepted"
    return None


def _unreadable(item: FiledItem) -> str | None:
    try:
        item.picture()
    except BadImage as error:
        return f"{item.image}: {error}"
    except OSError as error:
        return f"{item.image}: {error.strerror or error}"
    return None
