"""Who rates how: the subject model of ITU-T P.910 Annex E.

rating = quality of the item + bias of the rater + inconsistency of the rater x noise

Zhi Li, Bampis, Janowski, Katsavounidis, "A simple model for subject behavior in subjective
experiments", HVEI 2020 (arXiv 2004.02067). A persona is supposed to deviate: take its tastes out
first (`tastes`), or the model weighs down those who have any. Bias is what a persona is like;
inconsistency tells how reliable it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from qoe_service.errors import UnusableRatings
from qoe_service.statistics.additive import check_connected, fit_additive
from qoe_service.statistics.intervals import CONFIDENCE

Array = NDArray[np.float64]

LEAST_RATERS, LEAST_ITEMS = 3, 3
CONVERGED = 1e-8
MOST_ITERATIONS = 1000
EXACT = 1e-4
"""An overall inconsistency below this, in points of the scale, is no spread: all are copies."""


@dataclass(frozen=True)
class SubjectModel:
    """The model of I items and R raters; biases have mean 0. Errors are standard errors."""

    quality: Array
    quality_errors: Array
    bias: Array
    bias_errors: Array
    inconsistency: Array
    inconsistency_low: Array
    inconsistency_high: Array
    iterations: int
    converged: bool
    """Whether the last round changed the qualities by less than 1e-8, as the Annex asks."""


def subject_model(scores: Array, freedom_used: int = 0) -> SubjectModel:
    """Quality, bias and inconsistency by alternating estimates; gaps are allowed.

    The Annex maximises the likelihood, which has no maximum: it grows without bound where one rater
    is declared right about everything, and the Annex's rounds do end there on small or structured
    tables. Two things keep away from it and let inconsistency not be told too small: a rater's
    squared residuals are divided by what the fit has left of them, not by their number (restricted
    maximum likelihood), and every rater has one rating more, as inconsistent as the raters are on
    the whole. Errors are those of the Annex: each quantity's own, given the others. Inconsistency
    has a chi-square interval.

    Args:
        scores: (I, R) ratings, NaN where there is none.
        freedom_used: how many more parameters were fitted to the ratings before (`tastes`).

    Raises:
        UnusableRatings: for fewer than 3 raters or 3 items, an item or rater without a rating, a
            rater with fewer than 3 ratings, raters who share no item, or raters who all copy each
            other up to their bias.
    """
    _check(scores)
    there = np.isfinite(scores)
    filled, mask = np.where(there, scores, 0.0), there.astype(float)
    counts = mask.sum(axis=0)
    start = fit_additive(scores)
    quality, bias = start.items, start.raters
    inconsistency = np.ones_like(bias)
    iterations, change = 0, np.inf
    while change >= CONVERGED and iterations < MOST_ITERATIONS:
        squares = mask * np.square(filled - quality[:, None] - bias)
        inconsistency = _spread(squares, mask / inconsistency**2)
        weights = mask / inconsistency**2
        before = quality
        quality = (weights * (filled - bias)).sum(axis=1) / weights.sum(axis=1)
        bias = (mask * (filled - quality[:, None])).sum(axis=0) / counts
        change = float(np.linalg.norm(quality - before))
        iterations += 1
    inconsistency = inconsistency * _widening(scores, freedom_used)
    centre = float(bias.mean())
    low, high = _chi_square_limits(inconsistency, counts)
    return SubjectModel(
        quality=quality + centre,
        quality_errors=1 / np.sqrt((mask / inconsistency**2).sum(axis=1)),
        bias=bias - centre,
        bias_errors=inconsistency / np.sqrt(counts),
        inconsistency=inconsistency,
        inconsistency_low=low,
        inconsistency_high=high,
        iterations=iterations,
        converged=change < CONVERGED,
    )


def _check(scores: Array) -> None:
    check_connected(scores)
    items, raters = scores.shape
    if items < LEAST_ITEMS or raters < LEAST_RATERS:
        raise UnusableRatings(
            f"the subject model needs {LEAST_ITEMS} items and {LEAST_RATERS} raters, got {items} "
            f"and {raters}; report the mean opinion instead"
        )
    counts = np.isfinite(scores).sum(axis=0)
    if counts.min() < LEAST_ITEMS:
        raise UnusableRatings(
            f"rater number {int(counts.argmin()) + 1} rated {counts.min()} items; "
            f"{LEAST_ITEMS} are needed to tell inconsistency; leave the rater out"
        )


def _spread(squares: Array, weights: Array) -> Array:
    """Each rater's inconsistency, from the squared residuals and the weights they were fitted by.

    A rating that makes up the share h of its item's weight has lost the share h of its square.
    """
    there = weights > 0
    left = (there - weights / weights.sum(axis=1, keepdims=True)).sum(axis=0)
    left = left * (1 - 1 / there.sum(axis=0))
    sums = squares.sum(axis=0)
    overall = float(sums.sum() / left.sum())
    if overall < EXACT**2:
        raise UnusableRatings(
            "quality and bias tell every rating exactly: the raters copy each other, so that their "
            "inconsistency is not known; report the mean opinion instead"
        )
    spread: Array = np.sqrt((sums + overall) / (left + 1))
    return spread


def _widening(scores: Array, freedom_used: int) -> float:
    """What parameters that were fitted before have taken from the residuals."""
    freedom = int(np.isfinite(scores).sum()) - sum(scores.shape) + 1
    if freedom_used >= freedom:
        raise UnusableRatings(
            f"{freedom_used} parameters were fitted before; these ratings have {freedom} degrees "
            "of freedom left for them: collect more"
        )
    return float(np.sqrt(freedom / (freedom - freedom_used)))


def _chi_square_limits(inconsistency: Array, counts: Array) -> tuple[Array, Array]:
    tail = (1 - CONFIDENCE) / 2
    squares = (counts - 1) * inconsistency**2
    low = np.sqrt(squares / chdtri(counts - 1, tail))
    high = np.sqrt(squares / chdtri(counts - 1, 1 - tail))
    return low, high
