"""The five styles: how a drawn canvas becomes a photo, a painting, a sketch, a cartoon, a mural."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

INK_WIDTH = {"photo": 0, "watercolour": 0, "sketch": 2, "cartoon": 2, "mural": 2}
"""Outline width per style on the 128 x 128 canvas, in pixels."""

MURAL_PALETTE = np.array(
    [(230, 50, 60), (250, 190, 40), (40, 110, 220), (30, 170, 120), (140, 60, 180), (250, 120, 40)],
    dtype=np.float32,
)

FloatImage = NDArray[np.float32]


def apply_backdrop_style(
    backdrop: Image.Image, style: str, rng: np.random.Generator
) -> Image.Image:
    """What a style does to the place before the subjects enter: a mural breaks it into facets."""
    return _facets(backdrop, rng) if style == "mural" else backdrop


def apply_style(canvas: Image.Image, style: str, rng: np.random.Generator) -> Image.Image:
    """Finish a canvas in the given style."""
    return STYLE_FINISHES[style](canvas, rng)


def _photo(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = _floats(canvas.filter(ImageFilter.GaussianBlur(0.8)))
    across, down = np.meshgrid(np.linspace(-1, 1, canvas.width), np.linspace(-1, 1, canvas.height))
    vignette = 1.05 - 0.28 * (across**2 + down**2)
    grain = rng.normal(0, 5, pixels.shape[:2])
    return _image(pixels * vignette[..., None] + grain[..., None])


def _watercolour(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    soft = _floats(canvas.filter(ImageFilter.ModeFilter(5)).filter(ImageFilter.GaussianBlur(1.3)))
    wash = _smooth_noise(rng, canvas.size, cells=7)
    paper = np.array([252, 248, 238], dtype=np.float32)
    strength = np.clip(0.6 + 0.1 * wash, 0.4, 0.8)[..., None]
    return _image(soft * strength + paper * (1 - strength))


def _sketch(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    grey = _floats(canvas.convert("L").convert("RGB"))[..., 0]
    across, down = np.meshgrid(np.arange(canvas.width), np.arange(canvas.height))
    hatching = ((across + down + rng.integers(12)) % 12 < 3) * (255 - grey) * 0.22
    lines = np.where(grey < 30, grey, 96 + 0.66 * grey - hatching)
    return _image(np.repeat(lines[..., None], 3, axis=2))


def _cartoon(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    del rng
    return ImageEnhance.Color(canvas).enhance(1.6)


def _mural(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    del rng
    return ImageEnhance.Color(canvas).enhance(1.3)


def _facets(backdrop: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Every point takes a share of the colour of the nearest of some random centres."""
    centres = rng.uniform(0, backdrop.width, (16, 2))
    across, down = np.meshgrid(np.arange(backdrop.width), np.arange(backdrop.height))
    distances = np.abs(across[..., None] - centres[:, 0]) + np.abs(down[..., None] - centres[:, 1])
    ordered = np.sort(distances, axis=-1)
    seams = (ordered[..., 1] - ordered[..., 0] < 2.5)[..., None]
    facet_colours = MURAL_PALETTE[rng.integers(len(MURAL_PALETTE), size=len(centres))]
    facets = facet_colours[distances.argmin(axis=-1)]
    pixels = _floats(backdrop)
    brightness = pixels.mean(axis=2, keepdims=True) / 255
    blended = 0.5 * pixels + 0.5 * facets * (0.2 + 0.8 * brightness)
    return _image(np.where(seams, 0.5 * blended, blended))


STYLE_FINISHES: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "photo": _photo,
    "watercolour": _watercolour,
    "sketch": _sketch,
    "cartoon": _cartoon,
    "mural": _mural,
}


def _floats(image: Image.Image) -> FloatImage:
    return np.asarray(image, dtype=np.float32)


def _image(pixels: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> FloatImage:
    coarse = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
