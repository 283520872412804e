"""What can be measured on pixels alone, for a whole stack of pictures at once.

Pleasure and arousal: Valdez and Mehrabian 1994 (numbers by judging.md 6.5).
Colourfulness: Hasler and Suesstrunk 2003. Noise: Immerkaer 1996.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qoe_service.images import Picture

MEASURES = (
    "brightness",
    "saturation",
    "colourfulness",
    "hue_diversity",
    "grayscale",
    "detail",
    "thirds",
    "pleasure",
    "arousal",
    "contrast",
    "noise",
    "sharpness",
    "clipping",
)
"""The columns of a table of measures."""

FEATURES_OF_PIXELS = (
    "saturation",
    "hue_diversity",
    "brightness",
    "grayscale",
    "detail",
    "thirds",
)
"""The measures that the evidence speaks of, under the same names."""

MEASURES_VERSION = 1
"""Part of every cache key: raise it when a measure changes."""

WORKING_SIDE = 256
"""Larger pictures are reduced to this longer side first: measures are of the look, not of size."""

GREY_CHROMA = 0.06
"""A pixel whose channels differ by less than this looks grey."""

Floats = NDArray[np.floating[Any]]
"""Single precision throughout: half the memory traffic, and measures need no more."""


def measure(pictures: Sequence[Picture]) -> NDArray[np.float64]:
    """The measures (N, len(MEASURES)) of pictures of any sizes."""
    table = np.empty((len(pictures), len(MEASURES)))
    by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    reduced = [_reduced(picture.pixels) for picture in pictures]
    for index, pixels in enumerate(reduced):
        by_shape[pixels.shape].append(index)
    for indices in by_shape.values():
        table[indices] = measure_stack(np.stack([reduced[index] for index in indices]))
    return table


def measure_stack(stack: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The measures (N, len(MEASURES)) of pictures of one size, uint8 (N, H, W, 3)."""
    if stack.ndim != 4 or stack.shape[3] != 3 or stack.dtype != np.uint8:
        raise ValueError(f"need uint8 (N, H, W, 3), got {stack.dtype} {stack.shape}")
    channels = np.ascontiguousarray(stack.transpose(3, 0, 1, 2)).astype(np.float32)  # (3, N, H, W)
    channels *= np.float32(1 / 255)
    red, green, blue = channels
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    columns = _colour(red, green, blue) | _structure(luma) | _defects(luma)
    return np.stack([columns[name] for name in MEASURES], axis=1).astype(np.float64)


def columns(table: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """Some measures (N, len(names)) out of a table of all."""
    return table[:, [MEASURES.index(name) for name in names]]


def quality_inputs(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """What technical quality is read from, (N, 10): too much and too little both count."""
    noise, sharpness, detail, contrast, clipping, colour = columns(
        table, ("noise", "sharpness", "detail", "contrast", "clipping", "colourfulness")
    ).T
    ratio = noise - np.log(detail + 1e-3)
    straight = [noise, sharpness, detail, contrast, clipping, colour, ratio]
    bent = [noise**2, sharpness**2, noise * sharpness]
    return np.stack(straight + bent, axis=1)


def _colour(red: Floats, green: Floats, blue: Floats) -> dict[str, Floats]:
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    brightness = _mean(value)
    saturation = _mean(chroma / np.maximum(value, 1 / 255))
    red_green, yellow_blue = red - green, 0.5 * (red + green) - blue
    return {
        "brightness": brightness,
        "saturation": saturation,
        "colourfulness": _colourfulness(red_green, yellow_blue),
        "hue_diversity": _hue_diversity(red_green, yellow_blue),
        "grayscale": _mean((chroma < GREY_CHROMA).astype(np.float32)),
        "pleasure": 0.69 * brightness + 0.22 * saturation,
        "arousal": -0.31 * brightness + 0.60 * saturation,
    }


def _colourfulness(red_green: Floats, yellow_blue: Floats) -> Floats:
    """On the published 0-255 scale: 15 slightly, 45 averagely, 82 highly colourful."""
    spread = np.sqrt(_variance(red_green) + _variance(yellow_blue))
    offset = np.sqrt(_mean(red_green) ** 2 + _mean(yellow_blue) ** 2)
    return np.asarray(255 * (spread + np.float32(0.3) * offset))


def _hue_diversity(red_green: Floats, yellow_blue: Floats) -> Floats:
    """Circular variance of hue, weighted by chroma: 0 one hue, 1 hues all around the circle."""
    across = red_green * np.float32(np.sqrt(0.75))
    along = yellow_blue
    lengths = _mean(np.sqrt(across * across + along * along))
    resultant = np.sqrt(_mean(across) ** 2 + _mean(along) ** 2)
    return np.where(lengths < 1e-4, 0, 1 - resultant / np.maximum(lengths, 1e-4))


def _structure(luma: Floats) -> dict[str, Floats]:
    down = np.abs(np.diff(luma, axis=1))[:, :, :-1]
    across = np.abs(np.diff(luma, axis=2))[:, :-1, :]
    edges = down + across  # (N, H-1, W-1)
    return {
        "detail": _mean(edges),
        "thirds": _thirds(edges),
        "contrast": np.sqrt(_variance(luma)),
        "sharpness": np.log(
            (np.sqrt(_mean(edges * edges)) + 1e-3) / (np.sqrt(_variance(luma)) + 0.02)
        ),
    }


def _thirds(edges: Floats) -> Floats:
    """Share of the edges near the four points of the rule of thirds, over that of the area."""
    height, width = edges.shape[1:]
    weight = np.add.outer(_near_third(height), _near_third(width)) == 2
    total = edges.sum(axis=(1, 2)) + np.float32(1e-6)
    area = np.float32(max(weight.mean(), 1e-6))  # a picture of a few pixels has no thirds
    return np.asarray(edges[:, weight].sum(axis=1) / total / area)


def _near_third(length: int) -> NDArray[np.int64]:
    place = (np.arange(length) + 0.5) / length
    distance = np.minimum(np.abs(place - 1 / 3), np.abs(place - 2 / 3))
    return (distance < 1 / 12).astype(np.int64)


def _defects(luma: Floats) -> dict[str, Floats]:
    column = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    mask = np.abs(column[:, :, :-2] - 2 * column[:, :, 1:-1] + column[:, :, 2:])
    sigma = np.float32(np.sqrt(np.pi / 2) / 6) * _mean(mask)
    return {
        "noise": np.log(sigma + np.float32(1e-3)),
        "clipping": _mean(((luma < 0.004) | (luma > 0.996)).astype(np.float32)),
    }


def _mean(plane: Floats) -> Floats:
    return np.asarray(plane.mean(axis=(1, 2)))


def _variance(plane: Floats) -> Floats:
    return np.asarray(plane.var(axis=(1, 2)))


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    longest = max(pixels.shape[:2])
    if longest <= WORKING_SIDE:
        return pixels
    scale = WORKING_SIDE / longest
    height, width = (max(16, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(
        Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX, reducing_gap=2)
    )
