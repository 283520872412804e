"""Statistics of opinions: the mean opinion score and where the variance of ratings comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE, MeanOpinionScore

CONFIDENCE = 0.95


def mean_opinion_score(scores: ArrayLike) -> MeanOpinionScore:
    """Mean of the scores with its 95 % Student-t interval, bounded to the scale.

    A single opinion says nothing about the spread of opinions: its interval is the whole scale.

    Raises:
        ValueError: for no scores, or a score that is not finite.
    """
    values = np.asarray(scores, dtype=float)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"a mean opinion needs finite scores in one dimension, got {values!r}")
    mean = float(values.mean())
    if values.size == 1:
        return MeanOpinionScore(mean=mean, low=LOWEST_SCORE, high=HIGHEST_SCORE, n=1)
    margin = _quantile(values.size - 1) * float(values.std(ddof=1)) / np.sqrt(values.size)
    return MeanOpinionScore(
        mean=mean,
        low=max(LOWEST_SCORE, mean - margin),
        high=min(HIGHEST_SCORE, mean + margin),
        n=values.size,
    )


@lru_cache(maxsize=4096)
def _quantile(degrees_of_freedom: int) -> float:
    return float(stdtrit(degrees_of_freedom, (1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of ratings; they sum to 1."""

    picture: float
    """What all personas agree on."""
    persona: float
    """Some personas rate higher than others throughout."""
    interaction: float
    """Who likes what: persona by picture, inconsistency included."""

    @property
    def of_personas(self) -> float:
        """All that depends on who looks: main effect and interaction."""
        return self.persona + self.interaction


def variance_shares(ratings: NDArray[np.float64]) -> VarianceShares:
    """Two-way decomposition of ratings (pictures, personas), one rating a cell.

    The sums of squares of a two-way layout without replication: they add up exactly.

    Raises:
        ValueError: for fewer than two pictures or personas, gaps, or no variance at all.
    """
    if ratings.ndim != 2 or min(ratings.shape) < 2 or not np.isfinite(ratings).all():
        raise ValueError(f"need a full table of at least 2 x 2 ratings, got shape {ratings.shape}")
    deviations = ratings - ratings.mean()
    total = float(np.square(deviations).mean())
    if total == 0:
        raise ValueError("all ratings are equal: there is no variance to divide")
    by_picture = float(np.square(deviations.mean(axis=1)).mean()) / total
    by_persona = float(np.square(deviations.mean(axis=0)).mean()) / total
    return VarianceShares(by_picture, by_persona, max(0.0, 1 - by_picture - by_persona))
