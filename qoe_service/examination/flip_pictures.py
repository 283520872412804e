"""Pairs of drawings that differ in one feature alone: more of it, and less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageEnhance

from qoe_service.images import Picture
from qoe_service.judges import Case
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene, sample_scene

SEED = 5117

COLOURFUL, PALE = 1.5, 0.5
"""Factors on the saturation of a drawing."""

SUBJECT_CHANGE = 40
"""Levels of 255 by which a pixel changes where the subject enters."""


@dataclass(frozen=True)
class Pair:
    """Two cases, one with more of a feature than the other, each asked for in its own words."""

    more: Case
    less: Case


def pairs_of(feature: str, count: int) -> tuple[Pair, ...]:
    """The first `count` pairs of a feature, the same at every call."""
    return tuple(_PAIRS[feature](_scene(number), number) for number in range(count))


def _scene(number: int) -> Scene:
    """A tidy photograph by day of somebody who stays on the ground."""
    rng = np.random.default_rng([SEED, number])
    scene = sample_scene(rng)
    while len(scene.subjects) != 1 or scene.action == "flies":
        scene = sample_scene(rng)
    return replace(scene, time="day", style="photo", tidiness="tidy")


def _people(scene: Scene, number: int) -> Pair:
    couple = replace(scene, subjects=("man", "woman"), action="stands")
    return Pair(_drawn(couple, number), _drawn(_deserted(scene), number))


def _abstract_art(scene: Scene, number: int) -> Pair:
    return Pair(_drawn(replace(scene, style="mural"), number), _drawn(scene, number))


def _saturation(scene: Scene, number: int) -> Pair:
    return Pair(_coloured(scene, number, COLOURFUL), _coloured(scene, number, PALE))


def _grayscale(scene: Scene, number: int) -> Pair:
    return Pair(_coloured(scene, number, 0.0), _drawn(scene, number))


def _thirds(scene: Scene, number: int) -> Pair:
    """The subject at a point of the rule of thirds, and between two of them."""
    return Pair(_with_subject_at(scene, number, 1 / 3), _with_subject_at(scene, number, 1 / 2))


_PAIRS: Mapping[str, Callable[[Scene, int], Pair]] = {
    "people": _people,
    "abstract_art": _abstract_art,
    "saturation": _saturation,
    "grayscale": _grayscale,
    "thirds": _thirds,
}

NOT_DRAWN = {
    "positive_emotion": "the people of tinyworld's drawings have one face",
    "detail": "what adds detail to a drawing of tinyworld moves its composition too",
}
"""Why there are no pairs for some features of the evidence."""


def _deserted(scene: Scene) -> Scene:
    return replace(scene, subjects=(), action=None)


def _image(scene: Scene, number: int) -> Image.Image:
    """The scene drawn with the chance of its pair: the backdrop is the same in both."""
    return draw_scene(scene, np.random.default_rng([SEED, number, 1]))


def _case(image: Image.Image, scene: Scene) -> Case:
    return Case(Picture(np.asarray(image)), plain_caption(scene))


def _drawn(scene: Scene, number: int) -> Case:
    return _case(_image(scene, number), scene)


def _coloured(scene: Scene, number: int, factor: float) -> Case:
    return _case(ImageEnhance.Color(_image(scene, number)).enhance(factor), scene)


def _with_subject_at(scene: Scene, number: int, across: float) -> Case:
    """The scene with its subject at half its size, two thirds down."""
    whole, canvas = _image(scene, number), _image(_deserted(scene), number)
    mask = _subject(whole, canvas)
    box = mask.getbbox()
    assert box is not None
    width, height = (box[2] - box[0]) // 2, (box[3] - box[1]) // 2
    subject = whole.crop(box).resize((width, height), Image.Resampling.LANCZOS)
    outline = mask.crop(box).resize((width, height), Image.Resampling.BOX)
    corner = round(canvas.width * across - width / 2), round(canvas.height * 2 / 3 - height / 2)
    canvas.paste(subject, corner, outline)
    return _case(canvas, scene)


def _subject(whole: Image.Image, empty: Image.Image) -> Image.Image:
    """Where the subject stands: what differs from the scene without it."""
    change = np.abs(np.asarray(whole, dtype=int) - np.asarray(empty, dtype=int)).max(axis=-1)
    return Image.fromarray((255 * (change > SUBJECT_CHANGE)).astype(np.uint8))
