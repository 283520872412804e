"""JSON files that are kept between runs: read whole or refused, replaced whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from qoe_service.errors import QoEError

Content = TypeVar("Content", bound=BaseModel)


def read_kept(
    path: Path | None, content: type[Content], *, what: str, remedy: str, error: type[QoEError]
) -> Content:
    """What a file holds; nothing, as `content()` has it, if there is no file.

    Args:
        what: the file in words, for an error.
        remedy: the command that makes it again.

    Raises:
        QoEError: an `error`, if it cannot be read, or holds anything else.
    """
    if path is None:
        return content()
    try:
        return content.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return content()
    except OSError as cause:
        raise error(f"{what}: {cause}") from cause
    except ValidationError as cause:
        flaw = cause.errors()[0]
        place = ".".join(map(str, flaw["loc"])) or "the file"
        raise error(
            f"{path} is damaged or was written by another version ({place}: {flaw['msg']}); "
            f"remove it and run `{remedy}` again"
        ) from cause


def replace_kept(path: Path, text: str) -> None:
    """Put this in place of the file; readers see the old or the new. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        draft.write_text(text + "\n", encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
