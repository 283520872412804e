"""The five places: what stands behind the subjects, on a 128 x 128 canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from tinyworld.light import Colour, paint_celestial, paint_sky
from tinyworld.pen import Pen

CANVAS = 128
HORIZON = 82

BRICKS: tuple[Colour, ...] = ((176, 92, 74), (150, 140, 130), (196, 168, 120), (120, 120, 140))
FLOWERS: tuple[Colour, ...] = ((250, 80, 110), (255, 220, 70), (240, 240, 250))
RUBBISH: tuple[Colour, ...] = (
    (240, 240, 235),
    (230, 60, 50),
    (60, 110, 220),
    (250, 200, 60),
    (120, 80, 50),
    (70, 180, 120),
)


def paint_place(
    image: Image.Image, pen: Pen, place: str, time: str, rng: np.random.Generator
) -> None:
    """Cover the whole canvas with the place, its sky and its ground."""
    if place == "room":
        _paint_room(image, pen, time, rng)
        return
    sky = (0, 0, CANVAS, HORIZON)
    paint_sky(image, time, sky)
    paint_celestial(pen.draw, time, sky, rng)
    OUTDOORS[place](pen, rng)


def scatter_rubbish(pen: Pen, rng: np.random.Generator) -> None:
    """Boxes, bottles and crumpled paper all over the ground: what makes a scene cluttered."""
    for _ in range(rng.integers(11, 16)):
        x, y = rng.uniform(4, 122), rng.uniform(88, 124)
        size = rng.uniform(4, 7)
        colour = RUBBISH[rng.integers(len(RUBBISH))]
        shape = rng.integers(3)
        if shape == 0:
            pen.box(x - size, y - size, x + size, y + size * 0.8, colour)
        elif shape == 1:
            pen.polygon([(x - size, y + size), (x, y - size), (x + size, y + size)], colour)
        else:
            pen.ellipse(x, y, size, size * 0.8, colour)


def _paint_street(pen: Pen, rng: np.random.Generator) -> None:
    left = -int(rng.integers(0, 10))
    while left < CANVAS:
        width, top = int(rng.integers(26, 40)), int(rng.integers(14, 46))
        _building(pen, left, top, left + width, BRICKS[rng.integers(len(BRICKS))])
        left += width + int(rng.integers(0, 5))
    pen.box(0, HORIZON, CANVAS, HORIZON + 8, (190, 188, 184))
    pen.box(0, HORIZON + 8, CANVAS, CANVAS, (92, 92, 98))
    for x in range(int(rng.integers(0, 16)) - 16, CANVAS, 32):
        pen.box(x, 116, x + 16, 119, (240, 240, 230))


def _building(pen: Pen, left: float, top: float, right: float, colour: Colour) -> None:
    pen.box(left, top, right, HORIZON, colour)
    for y in range(int(top) + 5, HORIZON - 8, 13):
        for x in range(int(left) + 4, int(right) - 7, 11):
            pen.box(x, y, x + 6, y + 7, (250, 235, 150))


def _paint_park(pen: Pen, rng: np.random.Generator) -> None:
    pen.ellipse(rng.uniform(20, 108), HORIZON + 16, 90, 30, (120, 190, 90))
    pen.box(0, HORIZON, CANVAS, CANVAS, (88, 168, 66))
    for x in (rng.uniform(8, 30), rng.uniform(98, 120)):
        pen.box(x - 4, 52, x + 4, HORIZON + 6, (110, 74, 44))
        pen.ellipse(x, 40, rng.uniform(17, 22), 22, (40, 128, 52))
    for _ in range(10):
        x, y = rng.uniform(2, 126), rng.uniform(HORIZON + 4, 124)
        pen.draw.ellipse(
            (x - 2, y - 2, x + 2, y + 2), fill=pen.light.on(FLOWERS[rng.integers(len(FLOWERS))])
        )


def _paint_beach(pen: Pen, rng: np.random.Generator) -> None:
    pen.box(0, 58, CANVAS, HORIZON + 6, (30, 120, 190))
    for _ in range(7):
        x, y = rng.uniform(0, 112), rng.uniform(62, HORIZON)
        pen.draw.line((x, y, x + 14, y), fill=pen.light.on((190, 225, 245)), width=2)
    pen.box(0, HORIZON + 4, CANVAS, CANVAS, (240, 214, 150))
    x = rng.uniform(12, 26) if rng.random() < 0.5 else rng.uniform(102, 116)
    pen.limb((x, 96), (x + 3, 46), 5, (140, 100, 60))
    for lean_x, lean_y in ((-18, 6), (-12, -9), (12, -9), (18, 6)):
        pen.limb((x + 3, 46), (x + 3 + lean_x, 46 + lean_y), 6, (50, 140, 70))


def _paint_mountain(pen: Pen, rng: np.random.Generator) -> None:
    for peak_x, top in ((rng.uniform(16, 44), 30), (rng.uniform(84, 112), 22)):
        slope = rng.uniform(0.75, 0.95)
        half = (HORIZON + 6 - top) * slope
        pen.polygon(
            [(peak_x - half, HORIZON + 6), (peak_x, top), (peak_x + half, HORIZON + 6)],
            (112, 108, 128),
        )
        snow = 18 * slope
        pen.polygon(
            [(peak_x - snow, top + 18), (peak_x, top), (peak_x + snow, top + 18)], (245, 248, 255)
        )
    pen.box(0, HORIZON, CANVAS, CANVAS, (120, 140, 86))
    for _ in range(5):
        x, y = rng.uniform(4, 124), rng.uniform(HORIZON + 2, HORIZON + 12)
        pen.polygon([(x - 6, y + 4), (x, y - 14), (x + 6, y + 4)], (34, 84, 60))


def _paint_room(image: Image.Image, pen: Pen, time: str, rng: np.random.Generator) -> None:
    wall: tuple[Colour, ...] = ((226, 206, 176), (206, 214, 190), (222, 196, 196))
    pen.box(0, 0, CANVAS, CANVAS, wall[rng.integers(len(wall))])
    pen.box(0, HORIZON + 6, CANVAS, CANVAS, (150, 98, 58))
    for y in (100, 112, 124):
        pen.draw.line((0, y, CANVAS, y), fill=pen.light.on((120, 76, 44)), width=2)
    left = int(rng.integers(8, 20)) if rng.random() < 0.5 else int(rng.integers(68, 80))
    window = (left, 12, left + 42, 54)
    pen.box(left - 4, 8, left + 46, 58, (250, 248, 240))
    paint_sky(image, time, window)
    paint_celestial(pen.draw, time, window, rng)
    pen.draw.line((left + 21, 12, left + 21, 54), fill=pen.light.on((250, 248, 240)), width=3)
    frame = 70 if left < 40 else 14
    pen.box(frame, 16, frame + 36, 44, (120, 70, 40))
    pen.box(frame + 4, 20, frame + 32, 40, (90, 150, 170))
    sofa = 78 if left < 40 else 2
    pen.box(sofa, 64, sofa + 48, 78, (130, 60, 90))
    pen.box(sofa, 76, sofa + 48, 94, (160, 76, 110))


OUTDOORS: dict[str, Callable[[Pen, np.random.Generator], None]] = {
    "street": _paint_street,
    "park": _paint_park,
    "beach": _paint_beach,
    "mountain": _paint_mountain,
}
