"""Fairness against its definitions; whoever was not judged is nobody's zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from allocator.experiments.fairness import by_persona, jain_index, tenth_percentile

shares = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1))


def test_jain_is_one_for_equals_and_an_nth_for_a_single_winner() -> None:
    assert jain_index(np.full(5, 0.3)) == pytest.approx(1)
    assert jain_index(np.zeros(5)) == 1
    assert jain_index(np.array([0.0, 0, 0.7, 0])) == pytest.approx(1 / 4)
    # (1 + 2 + 3)^2 / (3 (1 + 4 + 9)) = 36 / 42
    assert jain_index(np.array([1.0, 2, 3])) == pytest.approx(36 / 42)


@given(qoe=shares, scale=st.floats(0.1, 10))
def test_jain_lies_between_an_nth_and_one_whatever_the_unit(qoe, scale) -> None:
    qoe = np.round(qoe, 6)  # squares of smaller numbers are lost
    index = jain_index(qoe)
    assert 1 / len(qoe) - 1e-9 <= index <= 1 + 1e-9
    assert jain_index(scale * qoe) == pytest.approx(float(index))


@given(qoe=shares, unjudged=st.integers(1, 5), seed=st.integers(0, 100))
def test_users_nobody_judged_are_left_out(qoe, unjudged, seed) -> None:
    mixed = np.random.default_rng(seed).permutation([*qoe, *[np.nan] * unjudged])
    assert jain_index(mixed) == pytest.approx(float(jain_index(qoe)))
    assert tenth_percentile(mixed) == pytest.approx(float(np.quantile(qoe, 0.1)), abs=1e-12)


def test_where_nobody_was_judged_there_is_no_fairness() -> None:
    table = np.array([[np.nan, np.nan], [0.2, 0.4]])
    assert np.isnan(jain_index(table)).tolist() == [True, False]
    assert np.isnan(tenth_percentile(table)).tolist() == [True, False]


def test_personas_are_counted_by_who_was_judged() -> None:
    # One run, two episodes, three users; persona 2 never comes, persona 1's last user got no answer
    qoe = np.array([[[0.2, 0.4, 0.9], [0.6, 0.5, np.nan]]])
    persona = np.array([[0, 0, 1], [0, 1, 1]])
    mean, users = by_persona(qoe, persona, 3)
    assert users[:, 0].tolist() == [[2, 1], [1, 1], [0, 0]]
    assert mean[0, 0] == pytest.approx([0.3, 0.6])
    assert mean[1, 0] == pytest.approx([0.9, 0.5])
