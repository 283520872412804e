"""The mean opinion score and two intervals for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from qoe_service.errors import UnusableRatings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE, MeanOpinionScore
from qoe_service.statistics.intervals import CONFIDENCE, student_quantile

BINOMIAL_SOS = 0.25
"""The SOS parameter of a binomial spread over five grades; most panels spread less."""


def mean_opinion_score(scores: ArrayLike) -> MeanOpinionScore:
    """Mean of the scores with its 95 % Student-t interval, cut off at the ends of the scale.

    A single opinion says nothing about the spread of opinions: its interval is the whole scale.

    Raises:
        UnusableRatings: for no scores, or a score that is not finite.
    """
    values = _finite(scores)
    mean = float(values.mean())
    if values.size == 1:
        return MeanOpinionScore(mean=mean, low=LOWEST_SCORE, high=HIGHEST_SCORE, n=1)
    margin = student_quantile(values.size - 1) * float(values.std(ddof=1)) / np.sqrt(values.size)
    return MeanOpinionScore(
        mean=mean,
        low=max(LOWEST_SCORE, mean - margin),
        high=min(HIGHEST_SCORE, mean + margin),
        n=values.size,
    )


def bounded_opinion_score(scores: ArrayLike, sos: float = BINOMIAL_SOS) -> MeanOpinionScore:
    """Mean of the scores with a 95 % interval that is bounded by the scale: for fewer than 20.

    Clopper-Pearson limits for (mean - 1) / 4 as a share of n / sos trials: the conservative
    interval of Hossfeld, Heegaard, Varela, Skorin-Kapov 2018 (arXiv 1806.01126), which takes each
    opinion for four yes-or-no answers (sos 1/4), here for any SOS parameter. It does not look at
    how these few opinions spread, so that opinions which happen to agree are not taken for
    certainty, and is as good as `sos` is: too wide for panels that spread less, too narrow for
    those that spread more.

    Raises:
        UnusableRatings: for no scores, a score off the 1-5 scale, or `sos` outside (0, 1].
    """
    values = _finite(scores)
    if values.min() < LOWEST_SCORE or values.max() > HIGHEST_SCORE:
        raise UnusableRatings(
            f"an interval bounded by the scale needs scores from 1 to 5, got {values.min():g} to "
            f"{values.max():g}"
        )
    if not 0 < sos <= 1:
        raise UnusableRatings(f"an SOS parameter lies between 0 and 1, got {sos:g}")
    mean = float(values.mean())
    span = HIGHEST_SCORE - LOWEST_SCORE
    trials = values.size / sos
    successes = trials * (mean - LOWEST_SCORE) / span
    low, high = _clopper_pearson(successes, trials)
    return MeanOpinionScore(
        mean=mean, low=LOWEST_SCORE + span * low, high=LOWEST_SCORE + span * high, n=values.size
    )


def _clopper_pearson(successes: float, trials: float) -> tuple[float, float]:
    """Limits of a share; Beta quantiles, so that the counts need not be whole."""
    tail = (1 - CONFIDENCE) / 2
    failures = trials - successes
    low = 0.0 if successes <= 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures <= 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return low, high


def _finite(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=float)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise UnusableRatings(f"a mean opinion needs finite scores in one dimension, got {values}")
    return values
