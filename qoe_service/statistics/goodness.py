"""Beyond the mean: which share of the opinions is good or better, poor or worse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE
from qoe_service.statistics.intervals import CONFIDENCE, Interval

DECILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class OpinionShares:
    """Counted shares in [0, 1] with Wilson intervals, and where the opinions lie."""

    good_or_better: Interval
    """%GoB / 100: opinions of grade 4 and 5."""
    poor_or_worse: Interval
    """%PoW / 100: opinions of grade 1 and 2."""
    deciles: tuple[float, float, float]
    """The first decile, the median and the ninth decile."""
    n: int


def opinion_shares(scores: ArrayLike) -> OpinionShares:
    """The shares of opinions that are good or better and poor or worse.

    Opinions between two grades count as the nearer one, so that judges who answer 3.9 are
    comparable with people who can only tick 4. Counted, not derived from the mean as the E-model
    (ITU-T G.107) does for speech.

    Raises:
        UnusableRatings: for no scores, or a score that is missing or off the scale.
    """
    values = np.asarray(scores, dtype=float)
    if values.ndim != 1 or values.size == 0:
        raise UnusableRatings(f"shares of opinions need scores in one dimension, got {values}")
    if not ((values >= LOWEST_SCORE) & (values <= HIGHEST_SCORE)).all():
        raise UnusableRatings("shares of opinions need scores from 1 to 5, none missing")
    grades = nearest_grades(values)
    first, median, ninth = (float(q) for q in np.quantile(values, DECILES))
    return OpinionShares(
        good_or_better=_share(int((grades >= 4).sum()), values.size),
        poor_or_worse=_share(int((grades <= 2).sum()), values.size),
        deciles=(first, median, ninth),
        n=values.size,
    )


def nearest_grades(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each score as a whole grade, halves as the one farther from "fair"; NaN stays NaN."""
    off = scores - 3.0
    grades: NDArray[np.float64] = 3.0 + np.sign(off) * np.floor(np.abs(off) + 0.5)
    return grades


def _share(count: int, n: int) -> Interval:
    """A counted share with Wilson's score interval."""
    from scipy.special import ndtri

    z = float(ndtri((1 + CONFIDENCE) / 2))
    share = count / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = max(0.0, float(middle - reach)), min(1.0, float(middle + reach))
    return Interval(share, min(low, share), max(high, share))  # rounding at 0 and 1
