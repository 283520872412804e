"""Where the variance of ratings comes from: the picture, the persona, or who likes what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings


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
        UnusableRatings: for fewer than two pictures or personas, gaps, or no variance at all.
    """
    if ratings.ndim != 2 or min(ratings.shape) < 2 or not np.isfinite(ratings).all():
        raise UnusableRatings(
            f"need a full table of at least 2 x 2 ratings, got shape {ratings.shape}"
        )
    deviations = ratings - ratings.mean()
    total = float(np.square(deviations).mean())
    if total == 0:
        raise UnusableRatings("all ratings are equal: there is no variance to divide")
    by_picture = float(np.square(deviations.mean(axis=1)).mean()) / total
    by_persona = float(np.square(deviations.mean(axis=0)).mean()) / total
    return VarianceShares(by_picture, by_persona, max(0.0, 1 - by_picture - by_persona))
