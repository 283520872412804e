"""Batches whose pictures come in pairs that differ in one factor only.

Among random pictures, place, style and subjects tell nearly every picture from every other, and
contrastive learning never needs to look at the rest: a CLIP trained so read tidiness at chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinyworld.scenes import PLACES, STYLES, SUBJECTS, TIDINESS, TIMES, Scene, possible_actions

Value = TypeVar("Value")

CHANGES = ("tidiness", "tidiness", "subjects", "subjects", "action", "place", "time", "style")
"""The factor that differs, drawn uniformly: the hard ones are here twice."""

CHOICES: dict[str, Sequence[object]] = {
    "place": PLACES,
    "time": TIMES,
    "style": STYLES,
    "tidiness": TIDINESS,
}


class ContrastPairs:
    """Draws rows of a picture set in pairs of near twins."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self._scenes = scenes
        self._rows_of: dict[Scene, list[int]] = defaultdict(list)
        for row, scene in enumerate(scenes):
            self._rows_of[scene].append(row)

    def rows(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`count` rows: the first half at random, the second half their twins."""
        first = rng.choice(len(self._scenes), count // 2, replace=False)
        twins = [self._twin(self._scenes[row], rng) for row in first]
        return np.concatenate((first, twins)).astype(np.int64)

    def _twin(self, scene: Scene, rng: np.random.Generator) -> int:
        while True:
            rows = self._rows_of.get(change_one_factor(scene, rng))
            if rows:
                return rows[int(rng.integers(len(rows)))]


def change_one_factor(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with one factor changed; who changes may have to change what they do."""
    factor = CHANGES[int(rng.integers(len(CHANGES)))]
    if factor == "subjects":
        subjects = _another(SUBJECTS, scene.subjects, rng)
        actions = possible_actions(subjects)
        action = (
            scene.action if scene.action in actions else actions[int(rng.integers(len(actions)))]
        )
        return replace(scene, subjects=subjects, action=action)
    if factor == "action":
        return replace(scene, action=_another(possible_actions(scene.subjects), scene.action, rng))
    changed: dict[str, Any] = {factor: _another(CHOICES[factor], getattr(scene, factor), rng)}
    return replace(scene, **changed)


def _another(values: Sequence[Value], current: Value, rng: np.random.Generator) -> Value:
    """A value other than the current one, if there is any."""
    others = [value for value in values if value != current] or [current]
    return others[int(rng.integers(len(others)))]
