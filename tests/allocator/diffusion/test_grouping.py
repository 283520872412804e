from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.diffusion.grouping import common_words, group_prompts, medoid


def unit_vectors(seed, count, size=3):
    vectors = np.random.default_rng(seed).standard_normal((count, size))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(0, 50), st.integers(0, 15), st.floats(-1, 1), st.none() | st.integers(1, 5))
def test_groups_are_a_partition_of_prompts_that_are_alike(seed, count, least, largest):
    vectors = unit_vectors(seed, count)
    groups = group_prompts(vectors, least_similarity=least, largest_group=largest)
    assert sorted(index for group in groups for index in group) == list(range(count))
    for group in groups:
        cosines = vectors[list(group)] @ vectors[list(group)].T
        assert cosines.min() >= least - 1e-9
        assert largest is None or len(group) <= largest


def test_two_bundles_of_directions_are_two_groups():
    vectors = np.array([[1, 0], [0, 1], [0.995, 0.0998], [0.0998, 0.995]])
    assert group_prompts(vectors, least_similarity=0.9) == ((0, 2), (1, 3))
    assert group_prompts(vectors, least_similarity=0.9, largest_group=1) == ((0,), (1,), (2,), (3,))
    assert group_prompts(vectors, least_similarity=-1.0) == ((0, 1, 2, 3),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"least_similarity": 1.2}, "got 1.2"),
        ({"least_similarity": float("nan")}, "got nan"),
        ({"least_similarity": 0.5, "largest_group": 0}, "got 0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        group_prompts(unit_vectors(0, 3), **settings)


def test_the_medoid_stands_in_the_middle():
    angles = np.array([0.0, 2.0, 0.3, 0.6])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert medoid(vectors, (0, 2, 3)) == 2


@pytest.mark.parametrize(
    ("prompts", "common"),
    [
        (["a man in the street", "a dog in the street"], "a in the street"),
        (["A photo, of a dog", "a photo of a cat"], "a photo of a"),
        (["one"], "one"),
        (["x a b c", "a y b c", "a b z c"], "a b c"),
        (["cat", "dog"], None),
    ],
)
def test_common_words_are_those_every_prompt_says_in_that_order(prompts, common):
    assert common_words(prompts) == common


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=7), min_size=2, max_size=4))
def test_common_words_are_a_subsequence_of_every_prompt(words):
    common = common_words([" ".join(prompt) for prompt in words])
    for prompt in words:
        rest = iter(prompt)
        assert all(word in rest for word in (common or "").split())


@given(*[st.lists(st.sampled_from("ab"), min_size=1, max_size=6)] * 2)
def test_no_common_subsequence_of_two_prompts_is_longer(first, second):
    def subsequences(words):
        picks = range(2 ** len(words))
        return {tuple(w for i, w in enumerate(words) if pick >> i & 1) for pick in picks}

    longest = max(map(len, subsequences(first) & subsequences(second)))
    assert len((common_words([" ".join(first), " ".join(second)]) or "").split()) == longest
