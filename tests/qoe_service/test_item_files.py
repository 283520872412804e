"""A CSV of the user's own pictures: read strictly, wrong rows named by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qoe_service.images import ImageLimits
from qoe_service.item_files import FiledItem, ItemFileError, read_items


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(2):
        pixels = np.full((20, 30, 3), 40 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "photos" / "notes.png").write_text("not a picture")
    return tmp_path


def read(folder: Path, text: str | bytes) -> tuple[FiledItem, ...]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "items.csv").write_bytes(data)
    return read_items(folder / "items.csv", ImageLimits(), max_prompt_characters=40)


def test_paths_are_relative_to_the_file_and_other_columns_are_not_looked_at(folder: Path) -> None:
    text = (
        '\ufeffprompt,id,image\r\n"a man, sitting",7,photos/0.png\r\n\r\n'
        f"a dog ,8,{folder}/photos/1.png\r\n"
    )
    first, second = read(folder, text)
    assert (first.prompt, second.prompt) == ("a man, sitting", "a dog")
    assert first.picture().pixels.max() == 0
    assert (second.picture().height, second.picture().width) == (20, 30)


def test_every_bad_row_is_named_by_its_line(folder: Path) -> None:
    rows = [
        "image,prompt",
        "photos/0.png,a dog",
        "photos/9.png,a dog",
        "photos/notes.png,a dog",
        "photos/0.png, ",
        "photos/0.png",
        "photos/0.png,a man, sitting",
        ",a dog",
        f"photos/0.png,{'x' * 41}",
        "photos,a dog",
    ]
    with pytest.raises(ItemFileError) as error:
        read(folder, "\n".join(rows))
    told = str(error.value).splitlines()
    assert [line.removeprefix(f"{folder}/items.csv:").partition(": ")[0] for line in told] == [
        str(number) for number in range(3, 11)
    ]
    for line, word in zip(
        told,
        ["No such file", "not a picture", "empty prompt", "number of fields", "quote", "no picture",
         "41 characters", "Is a directory"],
        strict=True,
    ):  # fmt: skip
        assert word in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: no column image and no column prompt"),
        ("image,wish\nphotos/0.png,a dog", "1: no column prompt; the first line must be"),
        ("image,prompt\n", "no items"),
        (b"image,prompt\nphotos/0.png,caf\xe9", "not UTF-8"),
        ('image,prompt\nphotos/0.png,"a dog', "2: not CSV"),
    ],
)
def test_a_file_that_is_no_list_of_items_is_refused(
    folder: Path, text: str | bytes, told: str
) -> None:
    with pytest.raises(ItemFileError, match=told):
        read(folder, text)
