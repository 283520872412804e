"""Whose ratings stand out: the screening of observers of ITU-R BT.500.

A persona is supposed to deviate: screen what is left of the ratings without its `tastes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings

Array = NDArray[np.float64]

LEAST_RATERS = 6
"""Of fewer ratings none can lie 2 SD from their mean: the farthest lies (n - 1) / sqrt(n)."""
MANY, ONE_SIDED = 0.05, 0.3


@dataclass(frozen=True)
class Screening:
    """What BT.500 counts of each of R raters, and what follows."""

    above: NDArray[np.int64]
    """P: ratings far above what others gave."""
    below: NDArray[np.int64]
    """Q: ratings far below."""
    rated: NDArray[np.int64]
    rejected: NDArray[np.bool_]
    """Far off in more than 5 % of the ratings, and to both sides: |P - Q| / (P + Q) < 0.3."""
    constant: NDArray[np.bool_]
    """Gave everything the same score: no reason to reject in BT.500, but to look."""

    def reason(self, rater: int) -> str | None:
        """Why a rater is rejected or looks odd; `None` if neither."""
        reasons = []
        if self.constant[rater]:
            reasons.append(f"gave the same score to all {self.rated[rater]} items")
        if self.rejected[rater]:
            reasons.append(
                f"{self.above[rater] + self.below[rater]} of {self.rated[rater]} ratings lie far "
                f"from those of the others, {self.above[rater]} above and {self.below[rater]} below"
            )
        return "; ".join(reasons) or None


def screen(scores: Array) -> Screening:
    """The screening of ratings (I, R), NaN where there is none.

    A rating is far off from 2 standard deviations if the item's ratings have a kurtosis between 2
    and 4, as normal ones do, else from sqrt(20). An item whose ratings are all equal has none.

    Raises:
        UnusableRatings: if no item has the 6 ratings of which one can be far off.
    """
    there = np.isfinite(scores)
    counts = there.sum(axis=1)
    if scores.ndim != 2 or not (counts >= LEAST_RATERS).any():
        raise UnusableRatings(
            f"screening needs items with {LEAST_RATERS} ratings or more: of fewer none can be far "
            f"off; there are at most {counts.max(initial=0)}"
        )
    used = counts >= LEAST_RATERS
    off = np.where(there[used], scores[used] - np.nanmean(scores[used], axis=1, keepdims=True), 0.0)
    squares = np.square(off).sum(axis=1)
    varied = squares > 1e-12
    off, squares, n = off[varied], squares[varied], counts[used][varied]
    kurtosis = n * (off**4).sum(axis=1) / squares**2
    reach = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20.0))
    limit = (reach * np.sqrt(squares / (n - 1)))[:, None] * (1 - 1e-12)
    above, below = (off >= limit).sum(axis=0), (off <= -limit).sum(axis=0)
    return _judged(above, below, there.sum(axis=0), _constant(scores))


def _judged(
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    rated: NDArray[np.int64],
    constant: NDArray[np.bool_],
) -> Screening:
    far = above + below
    rejected = (far > MANY * rated) & (np.abs(above - below) < ONE_SIDED * far)
    return Screening(above, below, rated, rejected, constant)


def _constant(scores: Array) -> NDArray[np.bool_]:
    """Raters of several items who gave them all the same."""
    there = np.isfinite(scores)
    highest = np.where(there, scores, -np.inf).max(axis=0)
    lowest = np.where(there, scores, np.inf).min(axis=0)
    same: NDArray[np.bool_] = (there.sum(axis=0) > 2) & (highest - lowest < 1e-12)
    return same
