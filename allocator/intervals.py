"""Honest statistics for few runs: interquartile means, stratified bootstrap, paired differences.

Scores come as a matrix: one row a training seed, one column a scenario (resample `within_columns`)
or a held-out episode that every run met (resample `crossed`). Intervals are 95 % percentile
intervals; every resampling draws from the generator it is given.
Protocol: Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]
Resampling = Callable[[Scores, np.random.Generator], Scores]
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A statistic with the 95 % interval around it."""

    point: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """What is told of one quantity over the seeds that produced it."""

    mean: float
    iqm: float
    low: float
    high: float
    seeds: int


def iqm(scores: ArrayLike) -> float:
    """Interquartile mean: the mean of the middle half, a quarter trimmed at either end.

    scipy's `trim_mean` by other means: a bootstrap calls this thousands of times.
    """
    ordered = np.sort(np.asarray(scores, np.float64), axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def mean(scores: ArrayLike) -> float:
    """The mean of all scores."""
    return float(np.asarray(scores, np.float64).mean())


def within_columns(table: Scores, rng: np.random.Generator) -> Scores:
    """Rows drawn anew in each column: columns are strata whose runs are independent."""
    rows = rng.integers(len(table), size=table.shape)
    return np.take_along_axis(table, rows, axis=0)


def crossed(table: Scores, rng: np.random.Generator) -> Scores:
    """Whole rows and whole columns drawn anew: the same runs met the same episodes."""
    rows, columns = (rng.integers(n, size=n) for n in table.shape)
    return table[np.ix_(rows, columns)]


def bootstrap(
    scores: ArrayLike,
    statistic: Callable[[Scores], float],
    rng: np.random.Generator,
    *,
    resampling: Resampling = within_columns,
    repetitions: int = 2000,
) -> Interval:
    """The statistic of `scores`, (runs,) or (runs, columns), and its bootstrap interval.

    One run alone says nothing of how runs differ: train at least three.
    """
    table = _as_table(scores)
    drawn = [statistic(resampling(table, rng)) for _ in range(repetitions)]
    low, high = _percentiles(drawn)
    return Interval(point=statistic(table), low=low, high=high)


def summarise(scores: ArrayLike, rng: np.random.Generator) -> Summary:
    """Mean, IQM and the IQM's interval of (runs, episodes), over runs and episodes alike."""
    table = _as_table(scores)
    interval = bootstrap(table, iqm, rng, resampling=crossed)
    return Summary(
        mean=float(table.mean()),
        iqm=interval.point,
        low=interval.low,
        high=interval.high,
        seeds=len(table),
    )


def paired_difference(ours: ArrayLike, theirs: ArrayLike, rng: np.random.Generator) -> Interval:
    """Mean difference of two (runs, episodes) tables whose columns met the same random numbers.

    Pairing removes what the episodes have in common (the same channels, the same requests), so
    the interval is narrower than that of two independent means wherever they are correlated.
    A single row, such as an optimum's, is held against every row of the other.
    """
    first, second = np.broadcast_arrays(_as_table(ours), _as_table(theirs))
    return bootstrap(first - second, mean, rng, resampling=crossed)


def improvement_probability(ours: ArrayLike, theirs: ArrayLike) -> float:
    """P(a run of ours beats a run of theirs): Mann-Whitney's U, a tie counting half.

    Averaged over the strata.
    """
    first, second = _as_table(ours), _as_table(theirs)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"both need the same strata, not {first.shape[1]} and {second.shape[1]}")
    gaps = first[:, None, :] - second[None, :, :]  # (ours, theirs, strata)
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def progress_between(score: ArrayLike, floor: ArrayLike, ceiling: ArrayLike) -> Scores:
    """How far of the way from `floor` to `ceiling`: 0 at the floor, 1 at the ceiling."""
    way = np.asarray(ceiling, np.float64) - np.asarray(floor, np.float64)
    if np.any(way <= 0):
        raise ValueError("the ceiling must lie above the floor for a way between them to exist")
    share: Scores = (np.asarray(score, np.float64) - np.asarray(floor, np.float64)) / way
    return share


def _as_table(scores: ArrayLike) -> Scores:
    table = np.asarray(scores, np.float64)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"scores must be (runs,) or (runs, columns), not {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("scores hold a null: leave failed runs out and say how many they were")
    return table


def _percentiles(values: list[float]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
