"""Pictures to train the writing detector on: drawings and textures, with and without words.

The textures hold what is easily taken for writing: rows of equal things, hatching, scribbles.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qoe_service.judges.overlay import GRID
from qoe_service.judges.reference_set import DAMAGES, SEVERITIES
from qoe_service.lettering import Colour, Face, Lettered, Lettering, built_in, letter, longest_line
from tinyworld.drawing import draw_scene
from tinyworld.scenes import PICTURE_SIZE, sample_scene

Rng = np.random.Generator

SIDE = PICTURE_SIZE

CAPITALS_PX = (6, 14)

FEWEST_LETTERS = 4
"""In the longest line: fewer are no row."""

LEAST_CONTRAST = 0.2
"""Fainter writing is neither a good nor a bad example."""

VOCABULARY = """
rate this five excellent good score best the picture give perfect ignore answer top marks great
bad poor fair grade please say very it is a of an you must judge photo sample draft www com
"""

BOLD_INKS: tuple[Colour, ...] = ((255, 255, 255), (0, 0, 0), (255, 255, 0), (255, 0, 0))

FACES = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold"),
    *("DejaVuSansMono", "STIXGeneral", "STIXGeneralBol", "cmss10", "cmr10"),
)

NOTHING, WRITING, UNDECIDED = 0, 1, -1


@dataclass(frozen=True, eq=False)
class Examples:
    """N pictures with what is known of them and of their places: nothing, writing, undecided."""

    pixels: NDArray[np.uint8]
    """(N, 64, 64, 3)."""
    pictures: NDArray[np.int8]
    """(N,)."""
    places: NDArray[np.int8]
    """(N, 16, 16)."""


def draw_examples(count: int, seed: int) -> Examples:
    """`count` pictures, words laid over every other one."""
    rng = np.random.default_rng(seed)
    faces = [built_in, *map(matplotlib_face, FACES)]
    drawn = [_example(rng, faces if index % 2 else ()) for index in range(count)]
    pixels, pictures, places = zip(*drawn, strict=True)
    return Examples(np.stack(pixels), np.array(pictures, dtype=np.int8), np.stack(places))


def matplotlib_face(name: str) -> Face:
    """One of the faces that matplotlib brings along."""
    import matplotlib

    return partial(
        ImageFont.truetype, str(Path(matplotlib.get_data_path(), "fonts/ttf", f"{name}.ttf"))
    )


def _example(rng: Rng, faces: Sequence[Face]) -> tuple[NDArray[np.uint8], int, NDArray[np.int8]]:
    pixels = background(rng)
    places = np.zeros((SIDE // GRID, SIDE // GRID), dtype=np.int8)
    if not faces:
        return pixels, NOTHING, places
    lettered = None
    while lettered is None or longest_line(lettered.lines) < FEWEST_LETTERS:
        lettered = letter(pixels, random_lettering(rng), faces[int(rng.integers(len(faces)))])
    if lettered.contrast < LEAST_CONTRAST:
        return lettered.pixels, UNDECIDED, places + np.int8(UNDECIDED)
    return lettered.pixels, WRITING, _places_of(lettered)


def _places_of(lettered: Lettered) -> NDArray[np.int8]:
    """Writing inside the text's box, undecided around it."""
    top, bottom, left, right = lettered.box
    at = GRID * np.arange(SIDE // GRID) + GRID // 2
    inside = np.outer((at >= top - 1) & (at <= bottom), (at >= left + 3) & (at < right - 3))
    near = np.outer((at >= top - 10) & (at < bottom + 10), (at >= left - 16) & (at < right + 16))
    return np.where(inside, WRITING, np.where(near, UNDECIDED, NOTHING)).astype(np.int8)


def random_lettering(rng: Rng) -> Lettering:
    """Some words in some look."""
    ink = BOLD_INKS[rng.integers(len(BOLD_INKS))] if rng.random() < 0.65 else _colour(rng)
    opposite = (255, 255, 255) if sum(ink) < 384 else (0, 0, 0)
    look = rng.integers(4)
    return Lettering(
        text=_words(rng),
        capital_px=int(rng.integers(CAPITALS_PX[0], CAPITALS_PX[1] + 1)),
        ink=ink,
        place=(rng.random(), rng.random()),
        plate=(opposite if rng.random() < 0.5 else _colour(rng)) if look == 0 else None,
        outline=opposite if look == 1 else None,
        opacity=1.0 if rng.random() < 0.8 else rng.uniform(0.5, 1),
        line_gap=rng.uniform(0.15, 0.5),
    )


def background(rng: Rng) -> NDArray[np.uint8]:
    """A drawing, part of one enlarged, or a texture; three in ten of them damaged."""
    kind = rng.random()
    if kind < 0.16:
        image = TEXTURES[rng.integers(len(TEXTURES))](rng)
    else:
        image = draw_scene(sample_scene(rng), rng)
    if kind > 0.86:
        image = _enlarged(image, rng)
    if rng.random() < 0.3:
        damage = DAMAGES[rng.integers(len(DAMAGES))]
        return damage(image, int(rng.integers(1, SEVERITIES)), rng)
    return np.asarray(image)


def _enlarged(image: Image.Image, rng: Rng) -> Image.Image:
    side = int(SIDE / rng.uniform(1.2, 5))
    left, top = rng.integers(0, SIDE - side + 1, 2).tolist()
    part = image.crop((left, top, left + side, top + side))
    return part.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _leaves(rng: Rng) -> Image.Image:
    """Overlapping shapes of all sizes, as the edges of a photograph."""
    image, draw = _canvas(rng)
    for _ in range(rng.integers(20, 120)):
        x, y, a, b = *rng.uniform(0, SIDE, 2), *rng.uniform(0.5, 14, 2)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape(
            (x - a, y - b, x + a, y + b), _colour(rng), _colour(rng) if rng.random() < 0.3 else None
        )
    return image


def _clouds(rng: Rng) -> Image.Image:
    """Noise with as much in each octave, as in photographs."""
    pixels = np.full((SIDE, SIDE, 3), rng.uniform(60, 200))
    for cells in (4, 8, 16, 32, 64):
        octave = rng.normal(0, 160 / cells * rng.uniform(0.5, 2), (cells, cells, 3))
        for channel in range(3):
            coarse = Image.fromarray(octave[..., channel].astype(np.float32))
            pixels[..., channel] += coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return _image(pixels)


def _hatching(rng: Rng) -> Image.Image:
    """Stripes, or a grid, at any angle."""
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.integers(2) * np.pi / 2
    first, second = rng.uniform(2.5, 14, 2)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    mask = along % first < first * rng.uniform(0.2, 0.8)
    if rng.random() < 0.6:
        mask &= across % second < second * rng.uniform(0.2, 0.8)
    return _image(np.where(mask[..., None], _colour(rng), _colour(rng)))


def _scribbles(rng: Rng) -> Image.Image:
    image, draw = _canvas(rng)
    ink = _colour(rng)
    for _ in range(rng.integers(3, 25)):
        steps = rng.normal(0, 10, (rng.integers(2, 7), 2))
        points = rng.uniform(-5, SIDE + 5, 2) + np.cumsum(steps, axis=0)
        colour = ink if rng.random() < 0.7 else _colour(rng)
        draw.line([tuple(point) for point in points.tolist()], colour, int(rng.integers(1, 4)))
    return image


def _rows(rng: Rng) -> Image.Image:
    """Rows of equal things, such as windows, beads or battlements."""
    image, draw = _canvas(rng)
    ink = _colour(rng)
    edge = ink if rng.random() < 0.5 else _colour(rng)
    width, height, gap_x, gap_y = rng.uniform((1.5, 1.5, 1, 1), (8, 8, 6, 6))
    shape = rng.integers(3)
    left, top = rng.uniform(0, 25, 2)
    for y in np.arange(top, rng.uniform(top + 3, SIDE), height + gap_y):
        for x in np.arange(left, rng.uniform(35, SIDE), width + gap_x):
            box = (x, y, x + width, y + height)
            if shape == 0:
                draw.rectangle(box, ink, edge)
            elif shape == 1:
                draw.ellipse(box, ink)
            else:
                draw.line((x, y + height, x + width / 2, y, x + width, y + height), ink)
    return image


def _grain(rng: Rng) -> Image.Image:
    channels = 1 if rng.random() < 0.5 else 3
    grain = rng.normal(rng.uniform(60, 200), rng.uniform(5, 80), (SIDE, SIDE, channels))
    return _image(np.broadcast_to(grain, (SIDE, SIDE, 3)))


TEXTURES: tuple[Callable[[Rng], Image.Image], ...] = (
    *(_leaves, _clouds, _hatching, _scribbles, _rows, _rows, _grain),
)


def _words(rng: Rng) -> str:
    said = [_word(rng) for _ in range(rng.integers(1, 4))]
    if rng.random() < 0.4:
        said.append(str(rng.integers(100)))
    return " ".join(said) + ("!:?."[rng.integers(4)] if rng.random() < 0.2 else "")


def _word(rng: Rng) -> str:
    if rng.random() < 0.7:
        word = str(rng.choice(VOCABULARY.split()))
    else:
        letters = list(string.ascii_letters + string.digits)
        word = "".join(rng.choice(letters, rng.integers(2, 8)))
    case = rng.random()
    if case < 0.25:
        return word.upper()
    return word.title() if case < 0.4 else word


def _canvas(rng: Rng) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIDE, SIDE), _colour(rng))
    return image, ImageDraw.Draw(image)


def _colour(rng: Rng) -> Colour:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _image(pixels: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
