"""The subjects: people, pets and a bird, as silhouettes that differ even without colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyworld.light import Colour
from tinyworld.pen import Pen

SKIN: tuple[Colour, ...] = ((244, 206, 172), (206, 154, 112), (128, 84, 58))
SEAT: Colour = (108, 66, 36)


def draw_subject(
    pen: Pen, subject: str, action: str, x: float, foot_y: float, rng: np.random.Generator
) -> None:
    """Draw one subject with its feet at (x, foot_y)."""
    FIGURES[subject](pen, action, x, foot_y, rng)


def _draw_man(pen: Pen, action: str, x: float, foot_y: float, rng: np.random.Generator) -> None:
    skin = SKIN[rng.integers(len(SKIN))]
    shirt: Colour = ((40, 90, 200), (30, 130, 190), (40, 60, 150))[rng.integers(3)]
    trousers: Colour = (50, 50, 70)
    hip_y = _draw_legs(pen, action, x, foot_y, trousers)
    _draw_arms(pen, action, x, hip_y - 26, shirt)
    pen.box(x - 11, hip_y - 32, x + 11, hip_y + 2, shirt)
    head_y = hip_y - 43
    pen.ellipse(x, head_y, 10, 11, skin)
    pen.polygon(
        [(x - 11, head_y - 3), (x - 9, head_y - 12), (x + 9, head_y - 12), (x + 11, head_y - 3)],
        (50, 34, 24),
    )
    _draw_face(pen, x, head_y)


def _draw_woman(pen: Pen, action: str, x: float, foot_y: float, rng: np.random.Generator) -> None:
    skin = SKIN[rng.integers(len(SKIN))]
    hair: Colour = ((226, 178, 70), (190, 120, 50), (236, 200, 120))[rng.integers(3)]
    dress: Colour = ((224, 40, 70), (236, 70, 130), (200, 30, 40))[rng.integers(3)]
    hip_y = _draw_legs(pen, action, x, foot_y, skin)
    head_y = hip_y - 43
    pen.box(x - 13, head_y - 6, x + 13, head_y + 22, hair)
    pen.ellipse(x, head_y - 4, 13, 12, hair)
    _draw_arms(pen, action, x, hip_y - 26, skin)
    pen.polygon(
        [(x - 8, hip_y - 32), (x + 8, hip_y - 32), (x + 20, hip_y + 12), (x - 20, hip_y + 12)],
        dress,
    )
    pen.ellipse(x, head_y, 9, 10, skin)
    _draw_face(pen, x, head_y)


def _draw_legs(pen: Pen, action: str, x: float, foot_y: float, colour: Colour) -> float:
    """Draw two legs and return the height of the hips; who sits, sits on a stool."""
    if action == "sits":
        hip_y = foot_y - 20
        pen.box(x - 18, hip_y + 3, x + 12, foot_y, SEAT)
        for side in (0, 7):
            pen.limb((x, hip_y), (x + 17, hip_y + side * 0.4), 8, colour)
            pen.limb((x + 17, hip_y + side * 0.4), (x + 17 + side * 0.5, foot_y - 2), 8, colour)
        return hip_y
    stride = 15 if action == "walks" else 5
    hip_y = foot_y - 30
    for side in (-1, 1):
        pen.limb((x + side * 4, hip_y), (x + side * stride, foot_y - 2), 8, colour)
    return hip_y


def _draw_arms(pen: Pen, action: str, x: float, shoulder_y: float, colour: Colour) -> None:
    swing = 18 if action == "walks" else 3
    for side in (-1, 1):
        pen.limb(
            (x + side * 10, shoulder_y), (x + side * (13 + swing * 0.6), shoulder_y + 20), 6, colour
        )


def _draw_face(pen: Pen, x: float, y: float) -> None:
    dark = pen.light.on((30, 20, 20))
    for side in (-4, 4):
        pen.draw.ellipse((x + side - 1.5, y - 2.5, x + side + 1.5, y + 0.5), fill=dark)
    pen.draw.arc((x - 5, y - 1, x + 5, y + 7), 20, 160, fill=dark, width=2)


def _draw_dog(pen: Pen, action: str, x: float, foot_y: float, rng: np.random.Generator) -> None:
    coat: Colour = ((150, 92, 44), (176, 116, 60), (120, 72, 38))[rng.integers(3)]
    ear: Colour = (84, 48, 24)
    head_x, head_y = x + 21, foot_y - 38
    if action == "sits":
        pen.limb((x - 15, foot_y - 6), (x - 28, foot_y - 16), 5, coat)
        pen.polygon(
            [(x - 20, foot_y), (x + 3, foot_y - 34), (x + 20, foot_y - 30), (x + 17, foot_y)], coat
        )
        pen.ellipse(x - 10, foot_y - 9, 14, 10, coat)
        head_x, head_y = x + 15, foot_y - 46
    else:
        spread = 8 if action == "walks" else 0
        for leg, lean in ((-19, -spread), (-12, spread), (13, -spread), (19, spread)):
            pen.limb((x + leg, foot_y - 18), (x + leg + lean, foot_y - 2), 7, coat)
        pen.limb((x - 22, foot_y - 26), (x - 33, foot_y - 42), 5, coat)
        pen.ellipse(x, foot_y - 24, 26, 11, coat)
    pen.ellipse(head_x, head_y, 12, 11, coat)
    pen.ellipse(head_x + 12, head_y + 4, 9, 6, coat)
    pen.ellipse(head_x - 6, head_y + 5, 5, 12, ear)
    pen.ellipse(head_x + 19, head_y + 1, 3, 3, (20, 16, 16))
    pen.ellipse(head_x + 3, head_y - 3, 2, 2, (20, 16, 16))


def _draw_cat(pen: Pen, action: str, x: float, foot_y: float, rng: np.random.Generator) -> None:
    coat: Colour = ((120, 122, 130), (96, 98, 108), (146, 146, 152))[rng.integers(3)]
    stripe: Colour = (60, 60, 68)
    if action == "sits":
        pen.limb((x + 12, foot_y - 4), (x + 26, foot_y - 8), 5, coat)
        pen.limb((x + 26, foot_y - 8), (x + 28, foot_y - 26), 5, coat)
        pen.ellipse(x, foot_y - 14, 15, 15, coat)
        pen.ellipse(x, foot_y - 26, 10, 14, coat)
        head_x, head_y = x, foot_y - 42
    else:
        spread = 7 if action == "walks" else 0
        for leg, lean in ((-15, -spread), (-9, spread), (9, -spread), (15, spread)):
            pen.limb((x + leg, foot_y - 14), (x + leg + lean, foot_y - 2), 5, coat)
        pen.limb((x + 18, foot_y - 20), (x + 27, foot_y - 34), 5, coat)
        pen.limb((x + 27, foot_y - 34), (x + 22, foot_y - 48), 5, coat)
        pen.ellipse(x, foot_y - 19, 21, 9, coat)
        for band in (-6, 1, 8):
            pen.draw.line(
                (x + band, foot_y - 27, x + band, foot_y - 15), fill=pen.light.on(stripe), width=3
            )
        head_x, head_y = x - 19, foot_y - 31
    for side in (-1, 1):
        pen.polygon(
            [
                (head_x + side * 2, head_y - 7),
                (head_x + side * 10, head_y - 20),
                (head_x + side * 12, head_y - 2),
            ],
            coat,
        )
    pen.ellipse(head_x, head_y, 13, 11, coat)
    for side in (-5, 5):
        pen.ellipse(head_x + side, head_y - 1, 2.5, 3, (190, 230, 60))


def _draw_bird(pen: Pen, action: str, x: float, foot_y: float, rng: np.random.Generator) -> None:
    body: Colour = ((250, 200, 40), (255, 180, 30), (244, 214, 70))[rng.integers(3)]
    wing: Colour = (230, 120, 30)
    beak: Colour = (250, 100, 40)
    y = foot_y - (52 if action == "flies" else 22)
    if action == "flies":
        pen.polygon([(x - 8, y), (x - 34, y - 30), (x + 8, y - 4)], wing)
        pen.polygon([(x - 4, y), (x + 22, y - 36), (x + 14, y - 2)], wing)
    else:
        for side in (-4, 5):
            pen.limb((x + side, y + 12), (x + side, foot_y), 3, beak)
    pen.polygon([(x - 16, y), (x - 36, y - 4), (x - 32, y + 10)], wing)
    pen.ellipse(x, y, 21, 15, body)
    pen.ellipse(x + 17, y - 13, 11, 11, body)
    pen.polygon([(x + 26, y - 17), (x + 40, y - 11), (x + 26, y - 8)], beak)
    pen.ellipse(x + 19, y - 15, 2.5, 2.5, (20, 16, 16))
    if action == "sits":
        pen.ellipse(x - 4, y, 12, 8, wing)


FIGURES: dict[str, Callable[[Pen, str, float, float, np.random.Generator], None]] = {
    "man": _draw_man,
    "woman": _draw_woman,
    "dog": _draw_dog,
    "cat": _draw_cat,
    "bird": _draw_bird,
}
