from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyworld.contrasts import ContrastPairs, change_one_factor
from tinyworld.scenes import sample_scene, sample_scenes

FACTORS = ("place", "time", "style", "tidiness", "subjects")


@given(st.integers(0, 2**32 - 1))
def test_a_twin_differs_in_one_factor_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = sample_scene(rng)
    twin = change_one_factor(scene, rng)
    changed = [f for f in FACTORS if getattr(scene, f) != getattr(twin, f)]
    assert len(changed) <= 1
    if changed and changed != ["subjects"]:
        assert dataclasses.replace(twin, **{changed[0]: getattr(scene, changed[0])}) == scene


def test_every_picture_of_a_batch_has_its_twin_in_it() -> None:
    rng = np.random.default_rng(0)
    scenes = sample_scenes(3000, rng, held_out=False)
    rows = ContrastPairs(scenes).rows(64, rng)
    assert len(rows) == 64
    for first, second in zip(rows[:32], rows[32:], strict=True):
        one, other = scenes[first], scenes[second]
        assert sum(getattr(one, f) != getattr(other, f) for f in FACTORS) <= 1
