"""The figures of an examination, against values worked out by hand or by another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from qoe_service.examination.figures import difference, movement, odds

NAN = float("nan")


def test_a_difference_is_told_in_points_and_in_standard_errors() -> None:
    then, now = np.array([[3.0, 4.0], [2.0, NAN]]), np.array([[3.5, 4.0], [NAN, 1.0]])
    found = difference(then, now, np.array([[0.25, 0.5], [1.0, NAN]]))
    assert (found.mean, found.largest) == (0.25, 0.5)
    assert (found.mean_in_se, found.largest_in_se) == (1.0, 2.0)
    assert (found.compared, found.lost) == (2, 1)


def test_nothing_in_common_is_no_number() -> None:
    found = difference(np.array([[NAN]]), np.array([[3.0]]), np.array([[NAN]]))
    assert np.isnan([found.mean, found.largest]).all()
    assert found.compared == 0


def test_ties_are_half_a_win() -> None:
    found = odds(
        np.array([[4.0, 3.0], [2.0, 2.0]]), np.array([[3.0, 3.0], [3.0, 1.0]]), np.r_[0, 1]
    )
    assert found is not None
    assert found.probability == pytest.approx((0.75 + 0.5) / 2)
    assert (found.pairs, found.pictures) == (4, 2)


@given(wins=st.integers(0, 12), extra=st.integers(1, 12))
def test_the_interval_is_the_exact_binomial_one(wins: int, extra: int) -> None:
    trials = wins + extra
    better = np.where(np.arange(trials) < wins, 4.0, 2.0)[:, None]
    found = odds(better, np.full((trials, 1), 3.0), np.arange(trials))
    assert found is not None
    exact = binomtest(wins, trials).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_pairs_of_one_picture_are_one_trial() -> None:
    better, worse = np.full((20, 4), 4.0), np.full((20, 4), 3.0)
    one = odds(better, worse, np.zeros(20))
    assert one is not None
    assert (one.pairs, one.pictures) == (80, 1)
    assert one.low == pytest.approx(0.025)


def test_pairs_that_are_not_whole_do_not_count() -> None:
    found = odds(np.array([[NAN, 4.0]]), np.array([[1.0, 3.0]]), np.r_[0])
    assert found is not None
    assert (found.pairs, found.probability) == (1, 1.0)
    assert odds(np.array([[NAN]]), np.array([[1.0]]), np.r_[0]) is None


def test_a_movement_has_students_interval_over_probes_and_names_the_worst() -> None:
    moved = np.array([[0.1, 0.3], [0.5, 0.7], [0.9, NAN], [NAN, NAN]])
    found = movement(moved, ("a", "b", "c", "d"))
    assert found is not None
    means = [0.2, 0.6, 0.9]
    exact = ttest_1samp(means, 0).confidence_interval()
    assert found.mean == pytest.approx(np.mean(means))
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert (found.worst, found.worst_probe) == (0.9, "c")
    assert (found.probes, found.declined) == (3, 1)


def test_one_probe_says_nothing_about_others() -> None:
    found = movement(np.array([[2.0]]), ("only",))
    assert found is not None
    assert found.low == -np.inf
    assert movement(np.array([[NAN]]), ("only",)) is None
