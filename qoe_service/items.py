"""Making the items of a request out of the pictures people hold."""

from __future__ import annotations

import base64
import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from qoe_service.schemas import Context, Item

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = "npt.NDArray[np.uint8] | Image.Image | bytes | str | PathLike[str]"
"""Pixels (H, W, 3), a Pillow image, the bytes of a picture file, or the path of one."""

_FASTEST = 1


def make_item(
    picture: Picture,
    prompt: str,
    *,
    id: str,  # noqa: A002 - the field's name on the wire
    group_id: str | None = None,
    delay_s: float = 0.0,
) -> Item:
    """An `Item` for `picture`; files travel as they are, pixels as PNG, so nothing is lost.

    Raises:
        OSError: the path cannot be read.
        TypeError: an array that is not uint8 (H, W, 3).
    """
    return Item(
        id=id,
        image=base64.b64encode(_file_bytes(picture)).decode("ascii"),
        prompt=prompt,
        group_id=group_id,
        context=Context(delay_s=delay_s),
    )


def _file_bytes(picture: Picture) -> bytes:
    match picture:
        case bytes():
            return picture
        case str() | PathLike():
            return Path(picture).read_bytes()
        case np.ndarray():
            return _png_of_pixels(picture)
    return _png(picture)


def _png_of_pixels(pixels: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise TypeError(
            f"a picture as an array must be uint8 (height, width, 3), not {pixels.dtype} "
            f"{pixels.shape}; scale floats to 0..255 and drop the batch axis"
        )
    return _png(Image.fromarray(np.ascontiguousarray(pixels)))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_FASTEST)
    return file.getvalue()
