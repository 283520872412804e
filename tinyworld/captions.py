"""How a scene is said: many wordings of the same facts, and one plain one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyworld.scenes import Scene

STYLE_WORDS = {
    "photo": ("a photo", "a photograph"),
    "watercolour": ("a watercolour", "a watercolour painting"),
    "sketch": ("a sketch", "a pencil sketch"),
    "cartoon": ("a cartoon", "a cartoon drawing"),
    "mural": ("an abstract mural", "a mural"),
}
PLACE_WORDS = {
    "street": ("in the street", "on a city street", "in the city"),
    "park": ("in the park", "in a green park", "among the trees"),
    "beach": ("on the beach", "at the sea", "on a sandy beach"),
    "room": ("in a room", "at home", "in the living room"),
    "mountain": ("in the mountains", "below a mountain", "before snowy mountains"),
}
TIME_WORDS = {
    "day": ("by day", "in daylight", "on a sunny day"),
    "sunset": ("at sunset", "in the evening", "in the light of the low sun"),
    "night": ("at night", "in the dark", "under the moon"),
}
TIDINESS_WORDS = {
    "tidy": ("tidy", "clean", "neat"),
    "cluttered": ("cluttered", "messy", "littered"),
}
PROGRESSIVE = {"stands": "standing", "walks": "walking", "sits": "sitting", "flies": "flying"}
PLURAL = {"stands": "stand", "walks": "walk", "sits": "sit", "flies": "fly"}
EMPTY_WORDS = ("nobody", "an empty scene")

GENERAL_WORDS = {
    ("man",): ("a person",),
    ("woman",): ("a person",),
    ("dog",): ("a pet", "an animal"),
    ("cat",): ("a pet", "an animal"),
    ("bird",): ("an animal",),
    ("man", "woman"): ("two people", "people"),
    ("dog", "cat"): ("two pets", "animals"),
}
"""Broader names, which captions use now and then so that people may prompt with them."""

GENERAL_PROBABILITY = 0.08

OMISSION_PROBABILITY = 0.2
"""How often a caption leaves out each of style, time, tidiness, place and action."""


def plain_caption(scene: Scene) -> str:
    """The scene in one fixed wording that names every factor."""
    return _sentence(
        style=STYLE_WORDS[scene.style][0],
        subjects=_plain_subjects(scene),
        place=PLACE_WORDS[scene.place][0],
        time=TIME_WORDS[scene.time][0],
        tidiness=TIDINESS_WORDS[scene.tidiness][0],
    )


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """The scene in a wording of chance: synonyms, word order, and facts left unsaid.

    The subjects are always named; every other factor is sometimes left out, as people do.
    """
    said = rng.random(5) >= OMISSION_PROBABILITY
    style = _choose(STYLE_WORDS[scene.style], rng) if said[0] else None
    place = _choose(PLACE_WORDS[scene.place], rng) if said[1] else None
    time = _choose(TIME_WORDS[scene.time], rng) if said[2] else None
    tidiness = _choose(TIDINESS_WORDS[scene.tidiness], rng) if said[3] else None
    subjects = _subjects(scene, with_action=bool(said[4]), rng=rng)
    words = (_sentence, _time_first, _style_last)[int(rng.integers(3))]
    return words(style=style, subjects=subjects, place=place, time=time, tidiness=tidiness)


def _sentence(
    *, style: str | None, subjects: str, place: str | None, time: str | None, tidiness: str | None
) -> str:
    opening = None if style is None else f"{style} of"
    return _join((opening, subjects, place, time), tidiness)


def _time_first(
    *, style: str | None, subjects: str, place: str | None, time: str | None, tidiness: str | None
) -> str:
    opening = None if style is None else f"{style} of"
    return _join((time, tidiness, opening, subjects, place), None)


def _style_last(
    *, style: str | None, subjects: str, place: str | None, time: str | None, tidiness: str | None
) -> str:
    return _join((tidiness, place, subjects, time), style)


def _join(parts: Sequence[str | None], ending: str | None) -> str:
    body = " ".join(part for part in parts if part)
    return f"{body}, {ending}" if ending else body


def _subjects(scene: Scene, *, with_action: bool, rng: np.random.Generator) -> str:
    if not scene.subjects:
        return _choose(EMPTY_WORDS, rng)
    names = _names_of_chance(scene.subjects, rng)
    if scene.action is None or not with_action:
        return names
    if rng.random() < 0.5:
        return f"{names} {PROGRESSIVE[scene.action]}"
    return f"{names} {_finite(scene)}"


def _names_of_chance(subjects: tuple[str, ...], rng: np.random.Generator) -> str:
    if subjects in GENERAL_WORDS and rng.random() < GENERAL_PROBABILITY:
        return _choose(GENERAL_WORDS[subjects], rng)
    return _names(subjects if rng.random() < 0.5 else subjects[::-1])


def _plain_subjects(scene: Scene) -> str:
    if not scene.subjects:
        return EMPTY_WORDS[0]
    assert scene.action is not None
    return f"{_names(scene.subjects)} {PROGRESSIVE[scene.action]}"


def _finite(scene: Scene) -> str:
    assert scene.action is not None
    return scene.action if len(scene.subjects) == 1 else PLURAL[scene.action]


def _names(subjects: Sequence[str]) -> str:
    return " and ".join(f"a {subject}" for subject in subjects)


def _choose(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
