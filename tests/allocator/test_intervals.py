"""Statistics against their definitions, and intervals that cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import trim_mean

from allocator.intervals import (
    bootstrap,
    crossed,
    improvement_probability,
    iqm,
    mean,
    paired_difference,
    progress_between,
    summarise,
)

scores = arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 3)),
    elements=st.floats(-100, 100, allow_nan=False),
)


def test_iqm_is_the_mean_of_the_middle_half() -> None:
    assert iqm([1000, 1, 2, 3, 4, 5, 6, -1000]) == pytest.approx((2 + 3 + 4 + 5) / 4)


@given(values=scores)
def test_iqm_is_scipys_trimmed_mean(values) -> None:
    assert iqm(values) == pytest.approx(trim_mean(values, 0.25, axis=None), abs=1e-9)


@given(values=scores, shift=st.floats(-10, 10), scale=st.floats(0.1, 10))
def test_iqm_moves_with_its_data_and_ignores_their_order(values, shift, scale) -> None:
    expected = scale * iqm(values) + shift
    assert iqm(scale * values[::-1] + shift) == pytest.approx(expected, abs=1e-6)
    assert values.min() - 1e-9 <= iqm(values) <= values.max() + 1e-9


@settings(deadline=None, max_examples=25)
@given(values=scores, seed=st.integers(0, 2**32 - 1))
def test_interval_lies_within_the_data_and_follows_its_generator(values, seed) -> None:
    intervals = [
        bootstrap(values, iqm, np.random.default_rng(seed), repetitions=50) for _ in range(2)
    ]
    assert intervals[0] == intervals[1]
    assert values.min() - 1e-9 <= intervals[0].low <= intervals[0].high <= values.max() + 1e-9


def test_resampling_stays_within_each_stratum() -> None:
    # Constant columns: any mixture between the strata would show as spread.
    table = np.column_stack([np.zeros(5), np.full(5, 100.0)])
    interval = bootstrap(table, mean, np.random.default_rng(0), repetitions=200)
    assert (interval.low, interval.point, interval.high) == (50, 50, 50)


def test_crossed_resampling_keeps_what_runs_and_episodes_have_in_common() -> None:
    # A bad run is bad in every episode, so drawing it twice must show: strata would average it out.
    table = np.repeat([[0.0], [0.0], [9.0]], 100, axis=1)
    rng = np.random.default_rng(0)
    honest = bootstrap(table, mean, rng, resampling=crossed, repetitions=300)
    assert honest.low == 0
    assert honest.high >= 6
    strata = bootstrap(table, mean, rng, repetitions=300)
    assert strata.high - strata.low < 2


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        interval = bootstrap(rng.normal(size=20), mean, rng, repetitions=200)
        hits += interval.low <= 0 <= interval.high
    assert 0.85 <= hits / 200 <= 0.99  # the percentile bootstrap is a little short at 20 runs


def test_pairing_sees_a_small_difference_that_noise_would_hide() -> None:
    rng = np.random.default_rng(2)
    episode = rng.normal(0, 10, size=(1, 12))  # what all runs meet alike
    ours = episode + 0.5 + rng.normal(0, 0.1, (3, 12))
    theirs = episode + rng.normal(0, 0.1, (3, 12))
    paired = paired_difference(ours, theirs, rng)
    assert 0.3 < paired.low < 0.5 < paired.high < 0.7
    unpaired = bootstrap(ours, mean, rng, resampling=crossed)
    assert unpaired.high - unpaired.low > 20 * (paired.high - paired.low)


@given(values=scores)
def test_nothing_improves_on_itself(values) -> None:
    assert improvement_probability(values, values) == pytest.approx(0.5)
    assert improvement_probability(values + 300, values) == 1
    assert improvement_probability(values - 300, values) == 0


def test_improvement_counts_pairs_and_halves_ties() -> None:
    # pairs (ours, theirs): (1,1) tie, (1,0) win, (3,1) win, (3,0) win
    assert improvement_probability([1, 3], [1, 0]) == pytest.approx(3.5 / 4)


def test_progress_is_zero_at_the_floor_and_one_at_the_ceiling() -> None:
    assert progress_between([2, 3, 4], 2, 4).tolist() == [0, 0.5, 1]
    with pytest.raises(ValueError, match="above the floor"):
        progress_between(1, 2, 2)


def test_summary_counts_its_seeds() -> None:
    summary = summarise([1.0, 2.0, 9.0], np.random.default_rng(0))
    assert summary.seeds == 3
    assert summary.mean == 4
    assert summary.low <= summary.iqm <= summary.high


@pytest.mark.parametrize(
    ("bad", "why"), [([1.0, float("nan")], "null"), ([], "runs"), (np.zeros((1, 1, 1)), "runs")]
)
def test_scores_that_cannot_be_summarised_are_refused(bad, why) -> None:
    with pytest.raises(ValueError, match=why):
        summarise(bad, np.random.default_rng(0))


def test_pairs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        paired_difference([1, 2], [1, 2, 3], np.random.default_rng(0))


def test_an_optimum_is_paired_with_every_run() -> None:
    difference = paired_difference([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]], np.random.default_rng(0))
    assert difference.point == pytest.approx(-3)
