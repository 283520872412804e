"""Honest statistics for few training runs: interquartile means and bootstrap intervals.

What a run is worth is its mean over the held-out episodes; an agent is told by the interquartile
mean (IQM) of its runs. Intervals are 95 % percentile intervals of a stratified bootstrap: each
agent is a stratum whose runs are drawn anew, as in Agarwal et al., "Deep reinforcement learning at
the edge of the statistical precipice" (2021). Two things differ from theirs, for a reason:

- The episodes are a sample too, so they are drawn anew as well, whole columns at a time: a run that
  is bad is bad in all of them. Runs and episodes drawn together give wider intervals than runs
  alone (Owen, "The pigeonhole bootstrap", 2007).
- All agents meet the same episodes (common random numbers), so one draw of episodes serves all of
  them. Whatever is told of two agents is thereby paired: what the episodes have in common cancels.

Of fewer than five runs the interval is too narrow: of three it is at most from the worst to the
best, which holds the middle of what could have come three times in four.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.arrays import Floats, Indices

LEVEL = 0.95
FEWEST_RUNS = 5
"""With fewer, an interval is too narrow, and every report says so."""
REPETITIONS = 2000


@dataclass(frozen=True)
class Interval:
    """A statistic with the 95 % interval around it."""

    point: float
    low: float
    high: float

    @classmethod
    def of(cls, replicas: Floats) -> Self:
        """Replicas (1 + repetitions,) of a statistic: of the data itself, then of its redraws.

        Redraws without a value are left out; a statistic without one in the data is an error.
        """
        point, drawn = float(replicas[0]), replicas[1:][np.isfinite(replicas[1:])]
        if not np.isfinite(point):
            raise ValueError("scores hold a null: leave failed runs out and say how many they were")
        low, high = percentiles(drawn) if drawn.size else (point, point)
        return cls(point, float(low), float(high))


@dataclass(frozen=True)
class Redraws:
    """What is drawn anew, once for all statistics of an experiment; index 0 is the data itself.

    episodes: (1 + repetitions, episodes) how often each was drawn. runs: by agent,
    (1 + repetitions, runs) which ones were drawn.
    """

    episodes: Floats
    runs: Mapping[str, Indices]

    @classmethod
    def draw(
        cls,
        runs: Mapping[str, int],
        episodes: int,
        rng: np.random.Generator,
        *,
        repetitions: int = REPETITIONS,
    ) -> Self:
        """Redraws of agents with so many runs on so many episodes."""
        evenly = np.full(episodes, 1 / episodes)
        drawn = rng.multinomial(episodes, evenly, size=repetitions)
        return cls(
            episodes=np.concatenate([np.ones((1, episodes)), drawn]),
            runs={agent: drawn_runs(count, rng, repetitions) for agent, count in runs.items()},
        )

    def scores(self, agent: str, table: ArrayLike, weight: ArrayLike | None = None) -> Floats:
        """(1 + repetitions, runs) what each drawn run is worth: its mean over drawn episodes.

        table: (runs, episodes). weight: how much an episode counts, of the same shape, such as how
        many users it is about; NaN where all drawn episodes weigh nothing.
        """
        scores = np.asarray(table, np.float64)
        weights = np.ones_like(scores) if weight is None else np.asarray(weight, np.float64)
        chosen = self.runs[agent]
        if scores.shape != (chosen.shape[1], self.episodes.shape[1]):
            expected = (chosen.shape[1], self.episodes.shape[1])
            raise ValueError(f"{agent}: scores must be (runs, episodes) {expected}")
        total = self.episodes @ np.where(weights > 0, weights * scores, 0.0).T
        counted = self.episodes @ weights.T  # (1 + repetitions, runs)
        worth = np.full_like(total, np.nan)
        np.divide(total, counted, out=worth, where=counted > 0)
        return np.take_along_axis(worth, chosen, axis=1)


def percentiles(drawn: Floats) -> tuple[Floats, Floats]:
    """The ends of the 95 % interval of (repetitions, ...) redraws."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return low, high


def drawn_runs(runs: int, rng: np.random.Generator, repetitions: int = REPETITIONS) -> Indices:
    """(1 + repetitions, runs) which runs are drawn; first each of them once."""
    drawn = rng.integers(runs, size=(repetitions, runs))
    return np.concatenate([np.arange(runs)[None], drawn])


def iqm(scores: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """Interquartile mean: the mean of the middle half, a quarter trimmed at either end.

    As scipy's `trim_mean(scores, 0.25, axis)`, which rounds alike; NaN anywhere is NaN.
    """
    ordered = np.sort(np.asarray(scores, np.float64), axis=axis)
    along = -1 if axis is None else axis
    count = ordered.shape[along]
    cut = count // 4
    middle: NDArray[np.float64] = ordered.take(range(cut, count - cut), axis=along).mean(axis=along)
    nulls = np.isnan(ordered).any(axis=along)
    return np.where(nulls, np.nan, middle)


def mean_interval(values: ArrayLike, rng: np.random.Generator) -> Interval:
    """The mean of independent values (n,) with its bootstrap interval."""
    sample = np.asarray(values, np.float64)
    return Interval.of(sample[drawn_runs(len(sample), rng)].mean(axis=1))


def improvement(ours: Floats, theirs: Floats) -> Floats:
    """(...,) P(a run of ours beats a run of theirs) for scores (..., runs) and (..., their runs).

    Mann-Whitney's U over the number of pairs; a tie counts half.
    """
    gaps = ours[..., :, None] - theirs[..., None, :]
    wins: Floats = ((gaps > 0) + 0.5 * (gaps == 0)).mean(axis=(-2, -1))
    return np.where(np.isnan(gaps).any(axis=(-2, -1)), np.nan, wins)


def progress_between(score: ArrayLike, floor: ArrayLike, ceiling: ArrayLike) -> Floats:
    """How far of the way from `floor` to `ceiling`: 0 at the floor, 1 at the ceiling."""
    way = np.asarray(ceiling, np.float64) - np.asarray(floor, np.float64)
    if np.any(way <= 0):
        raise ValueError("the ceiling must lie above the floor for a way between them to exist")
    share: Floats = (np.asarray(score, np.float64) - np.asarray(floor, np.float64)) / way
    return share
