"""What the fake judge sees: three properties measured on the pixels it was really sent."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

STARK_JUMP = 0.6
"""Neighbours whose luma differs by more than this are as black on white."""

REMEMBERED = 20_000
"""Pictures whose sight is kept; a picture judged by a panel is decoded once."""


class UnreadablePicture(ValueError):
    """What was sent as a picture is none."""


@dataclass(frozen=True)
class Sight:
    """A picture, as the rule sees it.

    brightness: mean over pixels of the largest channel, 0 to 1.
    colourfulness: Hasler and Suesstrunk 2003 on the 0-255 scale, over 100; about 0 to 1.6.
    sharpness: r / (1 + r) with r the root mean square of edges over the SD of luma, 0 to 1; blurred
        pictures are near 0.2, clean drawings near 0.5, noise near 0.7.
    strokes: share of neighbours along a row that are as black on white, where writing shows.
    """

    brightness: float
    colourfulness: float
    sharpness: float
    strokes: float = 0.0


NOTHING_SEEN = Sight(brightness=0.55, colourfulness=0.5, sharpness=0.48)
"""A middling picture; stands in where there is none."""


def measure(pixels: NDArray[np.uint8]) -> Sight:
    """The sight of pixels, uint8 (H, W, 3) with both sides at least 2."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64) / 255, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return Sight(
        brightness=float(np.maximum(np.maximum(red, green), blue).mean()),
        colourfulness=_colourfulness(red - green, (red + green) / 2 - blue),
        sharpness=_sharpness(luma),
        strokes=float((np.abs(np.diff(luma, axis=1)) > STARK_JUMP).mean()),
    )


def decode(picture: bytes) -> NDArray[np.uint8]:
    """The pixels (H, W, 3) of a picture file. Raises `UnreadablePicture`."""
    try:
        with Image.open(io.BytesIO(picture)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise UnreadablePicture(f"the picture cannot be decoded: {error}") from error
    if min(pixels.shape[:2]) < 2:
        raise UnreadablePicture("the picture is less than 2 pixels wide or high")
    return pixels


class Eyes:
    """Sees pictures in data URLs, equal ones once. For one thread."""

    def __init__(self) -> None:
        self._seen: dict[bytes, Sight] = {}

    def see(self, url: str) -> Sight:
        """The sight of a picture. Raises `UnreadablePicture`."""
        key = blake2b(url.encode(), digest_size=16).digest()
        if key not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[key] = measure(decode(_content(url)))
        return self._seen[key]


def _content(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise UnreadablePicture("pictures are read from base64 data URLs only")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise UnreadablePicture(f"the data URL is not base64: {error}") from error


def _colourfulness(red_green: NDArray[np.float64], yellow_blue: NDArray[np.float64]) -> float:
    spread = np.hypot(red_green.std(), yellow_blue.std())
    offset = np.hypot(red_green.mean(), yellow_blue.mean())
    return float(2.55 * (spread + 0.3 * offset))


def _sharpness(luma: NDArray[np.float64]) -> float:
    down = np.abs(np.diff(luma, axis=0))[:, :-1]
    across = np.abs(np.diff(luma, axis=1))[:-1, :]
    ratio = (np.sqrt(((down + across) ** 2).mean()) + 1e-3) / (luma.std() + 0.02)
    return float(ratio / (1 + ratio))
