"""What is measured on a judge's answers: differences, odds and intervals. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

Array = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """How far two sets of scores lie apart, in points of the 1-5 scale and in standard errors.

    compared: scores that both have. lost: those that only the first has.
    """

    mean: float
    largest: float
    mean_in_se: float
    largest_in_se: float
    compared: int
    lost: int


def difference(then: Array, now: Array, errors: Array) -> Difference:
    """The difference of scores (N, P), with NaN for none; `errors` are one standard error each."""
    both = np.isfinite(then) & np.isfinite(now)
    apart = np.abs(now - then)[both]
    in_se = apart / np.maximum(errors[both], 1e-9)
    return Difference(
        mean=_mean(apart),
        largest=_largest(apart),
        mean_in_se=_mean(in_se),
        largest_in_se=_largest(in_se),
        compared=int(both.sum()),
        lost=int((np.isfinite(then) & ~np.isfinite(now)).sum()),
    )


@dataclass(frozen=True)
class Odds:
    """How often the better of a pair gets the higher score, ties counting half.

    It is the area under the ROC curve of paired comparisons. `low` and `high` are the exact 95 %
    interval of Clopper and Pearson for as many trials as there are pictures: comparisons that
    share a picture are not independent.
    """

    probability: float
    low: float
    high: float
    pairs: int
    pictures: int


def odds(better: Array, worse: Array, pictures: Array) -> Odds | None:
    """The odds of pairs (N, P) of scores; `pictures` (N,) says which belong together.

    `None` if no pair is whole.
    """
    whole = np.isfinite(better) & np.isfinite(worse)
    if not whole.any():
        return None
    won = np.where(better > worse, 1.0, np.where(better == worse, 0.5, 0.0))
    by_picture = [
        won[pictures == picture][whole[pictures == picture]].mean()
        for picture in np.unique(pictures)
        if whole[pictures == picture].any()
    ]
    probability, trials = float(np.mean(by_picture)), len(by_picture)
    low, high = clopper_pearson(probability * trials, trials)
    return Odds(probability, low, high, int(whole.sum()), trials)


@dataclass(frozen=True)
class Movement:
    """How far scores move in a direction, in points: the mean over probes with its 95 % interval.

    The interval is Student's, over the probes' own means. `worst` is the largest movement of any
    score, under the name of its probe. declined: probes that moved nothing, for nothing was judged.
    """

    mean: float
    low: float
    high: float
    worst: float
    worst_probe: str
    probes: int
    declined: int


def movement(moved: Array, names: tuple[str, ...]) -> Movement | None:
    """The movement of scores (N probes, K), NaN for none; `None` if nothing was judged."""
    judged = np.isfinite(moved).any(axis=1)
    if not judged.any():
        return None
    means = np.nanmean(moved[judged], axis=1)
    half = margin(means)
    probe, place = np.unravel_index(int(np.nanargmax(moved)), moved.shape)
    return Movement(
        mean=float(means.mean()),
        low=float(means.mean() - half),
        high=float(means.mean() + half),
        worst=float(moved[probe, place]),
        worst_probe=names[probe],
        probes=len(means),
        declined=int((~judged).sum()),
    )


def margin(means: Array) -> float:
    """Half of Student's 95 % interval of the mean; infinite for one value."""
    if len(means) < 2:
        return float("inf")
    quantile = float(stdtrit(len(means) - 1, (1 + CONFIDENCE) / 2))
    return quantile * float(means.std(ddof=1)) / math.sqrt(len(means))


def clopper_pearson(successes: float, trials: int) -> tuple[float, float]:
    """The exact 95 % interval of a share."""
    tail = (1 - CONFIDENCE) / 2
    failures = trials - successes
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures == 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return low, high


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def _largest(values: Array) -> float:
    return float(values.max()) if values.size else float("nan")
