"""Words drawn into pictures: what the writing probes and the writing detector are tried with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]
Face = Callable[[int], ImageFont.FreeTypeFont]
"""A typeface: the font of a size."""

LUMA = np.array([0.299, 0.587, 0.114])

MARGIN = 1
"""Pixels left free on each side when lines are broken."""


@dataclass(frozen=True, kw_only=True)
class Lettering:
    """How words are laid over a picture.

    capital_px: height of a capital letter.
    place: shares of the free room that are left to the left of and above the text, 0 to 1.
    plate: colour of a rectangle behind the words. outline: colour around each letter.
    """

    text: str
    capital_px: int
    ink: Colour = (255, 255, 255)
    place: tuple[float, float] = (0.5, 0.5)
    plate: Colour | None = None
    outline: Colour | None = None
    opacity: float = 1.0
    line_gap: float = 0.35


@dataclass(frozen=True, eq=False)
class Lettered:
    """A picture with words on it.

    lines: the words as they were broken. box: top, bottom, left and right of the text in pixels.
    contrast: nine tenths of the pixels around the letters differ in luma from them by this or more,
        0 to 1.
    """

    pixels: Pixels
    lines: tuple[str, ...]
    box: tuple[int, int, int, int]
    contrast: float


def letter(pixels: Pixels, lettering: Lettering, face: Face | None = None) -> Lettered | None:
    """The words laid over pixels (H, W, 3), broken into lines; `None` if there is no room."""
    height, width = pixels.shape[:2]
    font = font_of(face or built_in, lettering.capital_px)
    lines = _broken(lettering.text, font, width - 2 * MARGIN)
    words = _Words("\n".join(lines), font, round(lettering.line_gap * lettering.capital_px))
    left, top, right, bottom = words.extent()
    if right - left > width or bottom - top > height:
        return None
    across, down = lettering.place
    x = round(across * (width - (right - left))) - left
    y = round(down * (height - (bottom - top))) - top
    box = (y + top, y + bottom, x + left, x + right)
    paper = _prepared(pixels, lettering, words, (x, y), box)
    ink = np.asarray(lettering.ink, dtype=float)
    cover = words.cover((width, height), (x, y))[..., None]
    covered = paper + lettering.opacity * cover * (ink - paper)
    return Lettered(
        pixels=np.clip(np.round(covered), 0, 255).astype(np.uint8),
        lines=lines,
        box=box,
        contrast=lettering.opacity * _contrast(paper, cover[..., 0], ink, box),
    )


@cache
def font_of(face: Face, capital_px: int) -> ImageFont.FreeTypeFont:
    """The smallest font of a face whose capitals are at least so high."""
    size = capital_px
    while True:
        font = face(size)
        _, top, _, bottom = font.getbbox("H")
        if bottom - top >= capital_px:
            return font
        size += 1


def built_in(size: int) -> ImageFont.FreeTypeFont:
    """The face that Pillow brings along."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@dataclass(frozen=True)
class _Words:
    text: str
    font: ImageFont.FreeTypeFont
    spacing: int

    def extent(self) -> tuple[int, int, int, int]:
        draw = ImageDraw.Draw(Image.new("L", (1, 1)))
        left, top, right, bottom = draw.multiline_textbbox(
            (0, 0), self.text, font=self.font, spacing=self.spacing
        )
        return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))

    def cover(
        self, size: tuple[int, int], at: tuple[int, int], stroke: int = 0
    ) -> NDArray[np.float64]:
        """How much of each pixel the letters cover, (H, W)."""
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).multiline_text(
            at, self.text, fill=255, font=self.font, spacing=self.spacing, stroke_width=stroke
        )
        return np.asarray(mask) / 255


def _prepared(
    pixels: Pixels,
    lettering: Lettering,
    words: _Words,
    at: tuple[int, int],
    box: tuple[int, int, int, int],
) -> NDArray[np.float64]:
    """The picture with a plate or outlines where the words will stand."""
    paper = pixels.astype(float)
    if lettering.plate is not None:
        paper[_around(box, max(1, lettering.capital_px // 4))] = lettering.plate
    if lettering.outline is not None:
        stroke = max(1, lettering.capital_px // 10)
        cover = words.cover((pixels.shape[1], pixels.shape[0]), at, stroke)[..., None]
        paper += cover * (np.asarray(lettering.outline, dtype=float) - paper)
    return paper


def _contrast(
    paper: NDArray[np.float64],
    cover: NDArray[np.float64],
    ink: NDArray[np.float64],
    box: tuple[int, int, int, int],
) -> float:
    around = _around(box, 1)
    beside = paper[around][cover[around] < 0.1]
    return float(np.quantile(np.abs((beside - ink) @ LUMA), 0.1)) / 255 if len(beside) else 0.0


def _around(box: tuple[int, int, int, int], margin: int) -> tuple[slice, slice]:
    top, bottom, left, right = box
    return (
        slice(max(0, top - margin), bottom + margin),
        slice(max(0, left - margin), right + margin),
    )


def _broken(text: str, font: ImageFont.FreeTypeFont, width: int) -> tuple[str, ...]:
    """Lines that fit the width; a word that is too long stays whole."""
    first, *words = text.split()
    lines = [first]
    for word in words:
        longer = f"{lines[-1]} {word}"
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def longest_line(lines: Sequence[str]) -> int:
    """Letters in the longest line, blanks left out."""
    return max(len(line.replace(" ", "")) for line in lines)
