"""A figure with the interval around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from qoe_service.errors import UnusableRatings

Array = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval."""

    point: float
    low: float
    high: float


@lru_cache(maxsize=4096)
def student_quantile(degrees_of_freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to either side."""
    return float(stdtrit(degrees_of_freedom, (1 + CONFIDENCE) / 2))


def percentile_interval(point: float, drawn: Array) -> Interval:
    """The middle 95 % of what a figure came to over resamples."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(point, float(low), float(high))


def bootstrap_interval(
    table: Array, statistic: Callable[[Array], float], rng: np.random.Generator
) -> Interval:
    """The statistic of a table with its percentile interval, rows drawn anew with replacement.

    Draws for which the statistic is not defined (NaN) are left out.

    Raises:
        UnusableRatings: if that is so for half of them, or for the table itself.
    """
    point = statistic(table)
    draws = rng.integers(len(table), size=(RESAMPLES, len(table)))
    drawn = np.array([statistic(table[rows]) for rows in draws])
    defined = drawn[np.isfinite(drawn)]
    if not np.isfinite(point) or defined.size < RESAMPLES / 2:
        raise UnusableRatings(
            f"{len(table)} rows, too few or too alike, give no interval; collect more"
        )
    return percentile_interval(point, defined)
