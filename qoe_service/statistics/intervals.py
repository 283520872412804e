"""A figure with the interval around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from scipy.special import stdtrit

CONFIDENCE = 0.95


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
