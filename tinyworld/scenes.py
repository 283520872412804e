"""What can be drawn: a scene is one choice of place, time, subjects, action, style and tidiness.

The factors are those that personality research speaks of (people, pets, nature, city, home,
abstract art, colour, order, brightness), each bold enough to be seen in 64 x 64 pixels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

PLACES = ("street", "park", "beach", "room", "mountain")
TIMES = ("day", "sunset", "night")
STYLES = ("photo", "watercolour", "sketch", "cartoon", "mural")
TIDINESS = ("tidy", "cluttered")

SUBJECTS: tuple[tuple[str, ...], ...] = (
    (),
    ("man",),
    ("woman",),
    ("dog",),
    ("cat",),
    ("bird",),
    ("man", "woman"),
    ("man", "dog"),
    ("woman", "dog"),
    ("man", "cat"),
    ("woman", "cat"),
    ("dog", "cat"),
)
"""Who can be in a scene: nobody, one, or two, named from left to right."""

ACTIONS = ("stands", "walks", "sits", "flies")

PICTURE_SIZE = 64
"""Width and height of every picture, in pixels."""

HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Scene:
    """One scene of tinyworld. `action` is `None` exactly when nobody is there."""

    place: str
    time: str
    subjects: tuple[str, ...]
    action: str | None
    style: str
    tidiness: str

    def __post_init__(self) -> None:
        choices = {
            "place": PLACES,
            "time": TIMES,
            "subjects": SUBJECTS,
            "action": possible_actions(self.subjects),
            "style": STYLES,
            "tidiness": TIDINESS,
        }
        for factor, allowed in choices.items():
            value = getattr(self, factor)
            if value not in allowed:
                raise ValueError(f"{factor} is {value!r}; it must be one of {allowed}")


def possible_actions(subjects: tuple[str, ...]) -> tuple[str | None, ...]:
    """What these subjects can do: an empty scene has no action, only a bird flies."""
    if not subjects:
        return (None,)
    if subjects == ("bird",):
        return ("sits", "flies")
    return ("stands", "walks", "sits")


def is_held_out(scene: Scene) -> bool:
    """Whether training must never see this combination of subjects, place and style.

    A tenth of the combinations is kept back, chosen by a hash so that the split is the same
    on every machine; models are scored on scenes from these combinations only.
    """
    combination = f"{'+'.join(scene.subjects)}|{scene.place}|{scene.style}"
    digest = hashlib.sha256(combination.encode()).digest()
    return digest[0] / 256 < HELD_OUT_SHARE


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw every factor independently and uniformly."""
    subjects = SUBJECTS[rng.integers(len(SUBJECTS))]
    actions = possible_actions(subjects)
    return Scene(
        place=PLACES[rng.integers(len(PLACES))],
        time=TIMES[rng.integers(len(TIMES))],
        subjects=subjects,
        action=actions[rng.integers(len(actions))],
        style=STYLES[rng.integers(len(STYLES))],
        tidiness=TIDINESS[rng.integers(len(TIDINESS))],
    )


def sample_scenes(count: int, rng: np.random.Generator, *, held_out: bool) -> list[Scene]:
    """`count` scenes from one side of the split between training and held-out combinations."""
    scenes: list[Scene] = []
    while len(scenes) < count:
        scene = sample_scene(rng)
        if is_held_out(scene) == held_out:
            scenes.append(scene)
    return scenes
