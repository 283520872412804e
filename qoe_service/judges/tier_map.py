"""A lower tier's scores on the primary judge's scale, so that an outage does not move the reward.

Centred isotonic regression (Oron and Flournoy 2017) of the primary judge's scores on the lower
tier's, over opinions that both gave: it keeps the order, ties only what was tied, and assumes
nothing of the shape. What it leaves unexplained, measured on opinions it was not fitted on, widens
the standard error of every mapped score.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from qoe_service.errors import QoEError
from qoe_service.judges.calibration import Frozen

Array = NDArray[np.float64]

LEAST_PAIRS = 60
"""Opinions that both tiers must have given: with fewer the residual error is itself a guess."""

LEAST_CORRELATION = 0.1
"""Rank correlation below which the lower tier says nothing of what the primary judge thinks."""

FOLDS = 5


class NotComparable(QoEError):
    """Two tiers have too little in common for the one's scores to be told as the other's."""


class TierMap(Frozen):
    """A strictly increasing broken line from a lower tier's scores to the primary judge's.

    residual_sd: how far a mapped score is from the primary judge's own, one standard deviation.
    pairs: opinions of both tiers that it was fitted on.
    """

    lower: str
    primary: str
    knots: tuple[float, ...]
    values: tuple[float, ...]
    residual_sd: float
    pairs: int

    @cached_property
    def name(self) -> str:
        """What a mapped judgment names as its calibration."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return f"{self.lower}-as-{self.primary}+{digest[:8]}"

    def scores(self, scores: ArrayLike) -> Array:
        """Scores on the primary judge's scale; beyond the outermost knots they go no further."""
        return np.asarray(np.interp(np.asarray(scores, dtype=float), self.knots, self.values))

    def errors(self, scores: ArrayLike, errors: ArrayLike) -> Array:
        """Standard errors of the mapped scores: the tier's own, as stretched, and the residual."""
        widened: Array = np.hypot(self._slopes(scores) * np.asarray(errors), self.residual_sd)
        return widened

    def _slopes(self, scores: ArrayLike) -> Array:
        slopes = np.diff(self.values) / np.diff(self.knots)
        place = np.searchsorted(self.knots, np.asarray(scores, dtype=float)) - 1
        return np.asarray(slopes[np.clip(place, 0, len(slopes) - 1)])


def fit_tier_map(
    lower_scores: ArrayLike, primary_scores: ArrayLike, *, lower: str, primary: str
) -> TierMap:
    """Fit a map to opinions (N,) that both tiers gave.

    Raises:
        NotComparable: if they are too few, or the one tier does not follow the other.
    """
    seen, wanted = np.asarray(lower_scores, dtype=float), np.asarray(primary_scores, dtype=float)
    _check_comparable(seen, wanted, lower, primary)
    knots, values = _centred_isotonic(seen, wanted)
    return TierMap(
        lower=lower,
        primary=primary,
        knots=tuple(knots.tolist()),
        values=tuple(values.tolist()),
        residual_sd=_held_out_error(seen, wanted),
        pairs=len(seen),
    )


def _check_comparable(seen: Array, wanted: Array, lower: str, primary: str) -> None:
    if not (np.isfinite(seen).all() and np.isfinite(wanted).all()):
        raise ValueError("scores must be finite: leave out what either tier could not judge")
    if len(seen) < LEAST_PAIRS:
        raise NotComparable(
            f"{lower} and {primary} have {len(seen)} opinions in common; at least {LEAST_PAIRS} "
            "are needed: score more pictures with both"
        )
    if np.ptp(seen) == 0 or np.ptp(wanted) == 0:
        raise NotComparable(f"{lower} or {primary} gives every picture the same score")
    correlation = float(spearmanr(seen, wanted).statistic)
    if correlation < LEAST_CORRELATION:
        raise NotComparable(
            f"{lower} does not follow {primary}: their rank correlation is {correlation:.2f}, "
            f"at least {LEAST_CORRELATION} is needed"
        )


def _centred_isotonic(seen: Array, wanted: Array) -> tuple[Array, Array]:
    """The centres of the isotonic fit's level stretches; both strictly increase."""
    knots, place, counts = np.unique(seen, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=wanted) / counts
    fit = isotonic_regression(means, weights=counts)
    block = np.repeat(np.arange(len(fit.blocks) - 1), np.diff(fit.blocks))
    weight = np.bincount(block, weights=counts)
    centres = np.bincount(block, weights=counts * knots) / weight
    return centres, fit.x[fit.blocks[:-1]]


def _held_out_error(seen: Array, wanted: Array) -> float:
    """Root mean square error on opinions left out of the fit, a fifth at a time."""
    fold = np.arange(len(seen)) % FOLDS
    errors = np.empty(len(seen))
    for left_out in range(FOLDS):
        kept = fold != left_out
        knots, values = _centred_isotonic(seen[kept], wanted[kept])
        errors[~kept] = np.interp(seen[~kept], knots, values) - wanted[~kept]
    return float(np.sqrt(np.mean(errors**2)))
