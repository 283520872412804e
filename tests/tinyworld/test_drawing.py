from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tinyworld.drawing import draw_scene
from tinyworld.scenes import PLACES, STYLES, SUBJECTS, Scene, sample_scene

SCENE = Scene("park", "day", ("man",), "stands", "photo", "tidy")


def draw(scene: Scene, seed: int = 0) -> np.ndarray:
    return np.asarray(draw_scene(scene, np.random.default_rng(seed)), dtype=float)


def colourfulness(pixels: np.ndarray) -> float:
    return float((pixels.max(axis=2) - pixels.min(axis=2)).mean())


def test_a_picture_is_64_by_64_rgb_and_determined_by_its_seed() -> None:
    assert draw(SCENE).shape == (64, 64, 3)
    assert np.array_equal(draw(SCENE, 3), draw(SCENE, 3))
    assert not np.array_equal(draw(SCENE, 3), draw(SCENE, 4))


def test_night_is_darker_than_sunset_and_sunset_than_day() -> None:
    day, sunset, night = (
        np.mean([draw(dataclasses.replace(SCENE, time=time), seed).mean() for seed in range(8)])
        for time in ("day", "sunset", "night")
    )
    assert night < sunset < day


def test_a_sketch_is_grey_and_a_cartoon_is_more_colourful_than_a_watercolour() -> None:
    by_style = {
        style: colourfulness(draw(dataclasses.replace(SCENE, style=style))) for style in STYLES
    }
    assert by_style["sketch"] < 1
    assert by_style["watercolour"] < by_style["cartoon"]


def test_clutter_adds_detail_to_the_ground() -> None:
    def ground_detail(tidiness: str) -> float:
        scene = dataclasses.replace(SCENE, subjects=(), action=None, tidiness=tidiness)
        return float(
            np.mean([np.abs(np.diff(draw(scene, s)[48:], axis=1)).mean() for s in range(8)])
        )

    assert ground_detail("cluttered") > 1.5 * ground_detail("tidy")


@pytest.mark.parametrize("subjects", SUBJECTS[1:])
def test_subjects_change_the_picture(subjects: tuple[str, ...]) -> None:
    action = "sits"
    empty = dataclasses.replace(SCENE, subjects=(), action=None)
    peopled = dataclasses.replace(SCENE, subjects=subjects, action=action)
    assert np.abs(draw(peopled) - draw(empty)).mean() > 4


def test_every_place_can_be_drawn_in_every_style() -> None:
    pictures = [
        draw(dataclasses.replace(SCENE, place=place, style=style))
        for place in PLACES
        for style in STYLES
    ]
    assert all(picture.std() > 10 for picture in pictures)


def test_any_scene_can_be_drawn() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        assert draw_scene(sample_scene(rng), rng).size == (64, 64)
