from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyworld.scenes import (
    SUBJECTS,
    Scene,
    is_held_out,
    possible_actions,
    sample_scene,
    sample_scenes,
)


@given(st.integers(0, 2**32 - 1))
def test_every_sampled_scene_is_valid(seed: int) -> None:
    scene = sample_scene(np.random.default_rng(seed))
    assert scene.action in possible_actions(scene.subjects)


def test_a_value_outside_a_factor_is_named() -> None:
    with pytest.raises(ValueError, match="place is 'moon'"):
        Scene("moon", "day", ("man",), "sits", "photo", "tidy")


def test_only_a_bird_flies() -> None:
    with pytest.raises(ValueError, match="action is 'flies'"):
        Scene("park", "day", ("man",), "flies", "photo", "tidy")


def test_the_split_never_mixes_its_sides() -> None:
    rng = np.random.default_rng(0)
    assert not any(map(is_held_out, sample_scenes(300, rng, held_out=False)))
    assert all(map(is_held_out, sample_scenes(50, rng, held_out=True)))


def test_about_a_tenth_of_combinations_is_held_out() -> None:
    rng = np.random.default_rng(0)
    share = np.mean([is_held_out(sample_scene(rng)) for _ in range(4000)])
    assert 0.05 < share < 0.15


def test_every_single_subject_is_trained_on_in_some_combination() -> None:
    rng = np.random.default_rng(0)
    trained = {scene.subjects for scene in sample_scenes(2000, rng, held_out=False)}
    assert trained == set(SUBJECTS)
