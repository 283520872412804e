"""Statistics against their definitions, and intervals that cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import mannwhitneyu, trim_mean

from allocator.experiments.intervals import (
    Interval,
    Redraws,
    improvement,
    iqm,
    mean_interval,
    progress_between,
)

numbers = st.floats(-100, 100, allow_nan=False)
tables = arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 5)), elements=numbers)


def redrawn(table, *, seed: int = 0, repetitions: int = 200):
    """(1 + repetitions, runs) of one agent."""
    rng = np.random.default_rng(seed)
    runs, episodes = np.shape(table)
    redraws = Redraws.draw({"a": runs}, episodes, rng, repetitions=repetitions)
    return redraws.scores("a", table)


def test_iqm_is_the_mean_of_the_middle_half() -> None:
    assert iqm([1000, 1, 2, 3, 4, 5, 6, -1000]) == pytest.approx((2 + 3 + 4 + 5) / 4)


@given(values=tables)
def test_iqm_is_scipys_trimmed_mean(values) -> None:
    assert iqm(values) == pytest.approx(trim_mean(values, 0.25, axis=None), abs=1e-9)
    assert iqm(values, axis=1) == pytest.approx(trim_mean(values, 0.25, axis=1), abs=1e-9)


@given(values=tables, shift=st.floats(-10, 10), scale=st.floats(0.1, 10))
def test_iqm_moves_with_its_data_and_ignores_their_order(values, shift, scale) -> None:
    expected = scale * iqm(values) + shift
    assert iqm(scale * values[::-1] + shift) == pytest.approx(expected, abs=1e-6)
    assert values.min() - 1e-9 <= iqm(values) <= values.max() + 1e-9


def test_a_null_is_not_averaged_away() -> None:
    assert np.isnan(iqm([1, 2, np.nan, 4, 5, 6, 7, 8]))
    with pytest.raises(ValueError, match="null"):
        Interval.of(np.array([np.nan, 1.0, 2.0]))


@given(values=tables, seed=st.integers(0, 2**32 - 1))
def test_the_data_come_first_and_redraws_stay_within_them(values, seed) -> None:
    scores = redrawn(values, seed=seed, repetitions=20)
    assert scores[0] == pytest.approx(values.mean(axis=1), abs=1e-9)
    assert np.array_equal(scores, redrawn(values, seed=seed, repetitions=20))
    assert values.min() - 1e-9 <= scores.min()
    assert scores.max() <= values.max() + 1e-9


@given(values=tables, shift=st.floats(-10, 10), scale=st.floats(0.1, 10))
def test_intervals_move_with_their_data(values, shift, scale) -> None:
    interval = Interval.of(iqm(redrawn(values), axis=-1))
    moved = Interval.of(iqm(redrawn(scale * values + shift), axis=-1))
    for end in ("point", "low", "high"):
        assert getattr(moved, end) == pytest.approx(
            scale * getattr(interval, end) + shift, abs=1e-6
        )


def test_an_interval_is_the_middle_95_percent_of_the_redraws() -> None:
    interval = Interval.of(np.array([7.0, *range(1001)]))
    assert (interval.point, interval.low, interval.high) == pytest.approx((7, 25, 975))


def test_whole_runs_and_whole_episodes_are_drawn() -> None:
    # A bad run is bad in every episode, so drawing it twice must show, and so for episodes.
    one_run_apart = np.repeat([[0.0], [0.0], [9.0]], 50, axis=1)
    drawn = redrawn(one_run_apart, repetitions=500).mean(axis=1)
    assert set(np.round(drawn)) == {0, 3, 6, 9}
    one_episode_apart = np.repeat([[0.0, 9.0]], 50, axis=0)
    drawn = redrawn(one_episode_apart, repetitions=500).mean(axis=1)
    assert set(drawn) == {0, 4.5, 9}


def test_all_agents_meet_the_same_drawn_episodes() -> None:
    table = np.random.default_rng(0).normal(size=(1, 12))
    redraws = Redraws.draw({"a": 1, "b": 4}, 12, np.random.default_rng(1), repetitions=50)
    ours, theirs = redraws.scores("a", table), redraws.scores("b", np.repeat(table, 4, axis=0))
    assert np.ptp(ours) > 0
    assert theirs == pytest.approx(np.repeat(ours, 4, axis=1))


def test_pairing_sees_a_small_difference_that_noise_would_hide() -> None:
    rng = np.random.default_rng(2)
    episode = rng.normal(0, 10, size=(1, 12))  # what all runs meet alike
    ours = episode + 0.5 + rng.normal(0, 0.1, (3, 12))
    theirs = episode + rng.normal(0, 0.1, (3, 12))
    redraws = Redraws.draw({"a": 3, "b": 3}, 12, rng)
    first, second = (iqm(redraws.scores(*each), axis=-1) for each in (("a", ours), ("b", theirs)))
    paired, alone = Interval.of(first - second), Interval.of(first)
    assert 0.3 < paired.low < 0.5 < paired.high < 0.7
    assert alone.high - alone.low > 20 * (paired.high - paired.low)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Runs differ by 1, episodes by 1, what remains by 1: the truth is 0.
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        table = rng.normal(size=(10, 1)) + rng.normal(size=(1, 30)) + rng.normal(size=(10, 30))
        redraws = Redraws.draw({"a": 10}, 30, rng, repetitions=200)
        interval = Interval.of(redraws.scores("a", table).mean(axis=-1))
        hits += interval.low <= 0 <= interval.high
    assert 0.86 <= hits / 200 <= 0.99  # the percentile bootstrap is a little short at 10 runs


def test_episodes_weigh_what_they_are_told_to() -> None:
    redraws = Redraws.draw({"a": 1}, 3, np.random.default_rng(0), repetitions=200)
    scores = redraws.scores("a", [[1.0, 4.0, np.nan]], weight=[[3.0, 1.0, 0.0]])
    assert scores[0, 0] == pytest.approx((3 * 1 + 1 * 4) / 4)
    nothing_drawn = (redraws.episodes[:, :2] == 0).all(axis=1)
    assert nothing_drawn.any()
    assert np.array_equal(np.isnan(scores[:, 0]), nothing_drawn)


def test_scores_of_another_shape_are_refused() -> None:
    redraws = Redraws.draw({"a": 2}, 3, np.random.default_rng(0), repetitions=5)
    with pytest.raises(ValueError, match=r"a: .*\(2, 3\)"):
        redraws.scores("a", np.zeros((3, 2)))


@given(values=tables)
def test_nothing_improves_on_itself(values) -> None:
    assert improvement(values, values) == pytest.approx(0.5)
    assert improvement(values + 300, values) == pytest.approx(1)
    assert improvement(values - 300, values) == pytest.approx(0)


def test_improvement_counts_pairs_and_halves_ties() -> None:
    # pairs (ours, theirs): (1,1) tie, (1,0) win, (3,1) win, (3,0) win
    assert improvement(np.array([1, 3]), np.array([1, 0])) == pytest.approx(3.5 / 4)


@given(
    ours=arrays(np.float64, st.integers(1, 9), elements=numbers),
    theirs=arrays(np.float64, st.integers(1, 9), elements=numbers),
)
def test_improvement_is_mann_whitneys_u_over_the_pairs(ours, theirs) -> None:
    u = mannwhitneyu(ours, theirs, method="asymptotic", use_continuity=False).statistic
    assert improvement(ours, theirs) == pytest.approx(u / (len(ours) * len(theirs)))


def test_progress_is_zero_at_the_floor_and_one_at_the_ceiling() -> None:
    assert progress_between([2, 3, 4], 2, 4).tolist() == [0, 0.5, 1]
    with pytest.raises(ValueError, match="above the floor"):
        progress_between(1, 2, 2)


def test_a_mean_lies_in_its_interval() -> None:
    interval = mean_interval([1.0, 2.0, 9.0], np.random.default_rng(0))
    assert interval.low <= interval.point == 4 <= interval.high
