"""A lower tier's scores on the primary judge's scale, so that an outage does not move the reward.

Centred isotonic regression (Oron and Flournoy 2017) of the primary judge's scores on the lower
tier's, over opinions that both gave: it keeps the order, ties only what was tied, and assumes
nothing of the shape. What it leaves unexplained, measured on pictures it was not fitted on, widens
the standard error of every mapped score.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.optimize import isotonic_regression

from qoe_service.errors import QoEError
from qoe_service.judges.calibration import Frozen
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE

Array = NDArray[np.float64]

LEAST_PAIRS = 60
"""Opinions that both tiers must have given: with fewer the residual error is itself a guess."""

LEAST_PICTURES = 30
"""Pictures that these must be of: opinions of one picture err together, so that however many
there are of each, the residual error is known no better than to one part in sqrt(2 * 30)."""

LEAST_CORRELATION = 0.1
"""Rank correlation below which the lower tier says nothing of what the primary judge thinks."""

FOLDS = 5


class NotComparable(QoEError):
    """Two tiers have too little in common for the one's scores to be told as the other's."""


class TierMap(Frozen):
    """A strictly increasing broken line from a lower tier's scores to the primary judge's.

    residual_sd: how far a mapped score is from the primary judge's own, one standard deviation.
    pairs: opinions of both tiers that it was fitted on.
    pictures: how many pictures these are of.
    rank_correlation: Spearman's, between the tiers' opinions.
    level_off: how far the lower tier's mean score was from the primary judge's.
    level_se: how far the mapped mean may still be from it, one standard error: what the map leaves
        open of whole pictures that it was not fitted on, over the root of their number.
    """

    lower: str
    primary: str
    knots: tuple[float, ...] = Field(min_length=2)
    values: tuple[float, ...] = Field(min_length=2)
    residual_sd: float = Field(ge=0, allow_inf_nan=False)
    pairs: int
    pictures: int
    rank_correlation: float
    level_off: float
    level_se: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _rises_within_the_scale(self) -> Self:
        if len(self.knots) != len(self.values):
            raise ValueError(f"{len(self.knots)} knots have {len(self.values)} values")
        if not (np.all(np.diff(self.knots) > 0) and np.all(np.diff(self.values) > 0)):
            raise ValueError("knots and values must rise")
        if not LOWEST_SCORE <= self.values[0] < self.values[-1] <= HIGHEST_SCORE:
            raise ValueError(f"values must lie between {LOWEST_SCORE:g} and {HIGHEST_SCORE:g}")
        return self

    @cached_property
    def name(self) -> str:
        """What a mapped judgment names as its calibration."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return f"{self.lower}-as-{self.primary}+{digest[:8]}"

    def scores(self, scores: ArrayLike) -> Array:
        """Scores on the primary judge's scale; beyond the outermost knots they go no further."""
        mapped = np.interp(np.asarray(scores, dtype=float), self.knots, self.values)
        return np.asarray(np.clip(mapped, self.values[0], self.values[-1]))  # against rounding

    def errors(self, scores: ArrayLike, errors: ArrayLike) -> Array:
        """Standard errors of the mapped scores: the tier's own, as stretched, and the residual.

        An own error is stretched as the line stretches all that lies within it: the slope at one
        point of a fitted line is too haphazard to tell.
        """
        seen, own = np.asarray(scores, dtype=float), np.asarray(errors, dtype=float)
        stretched = (self.scores(seen + own) - self.scores(seen - own)) / 2
        return np.asarray(np.hypot(stretched, self.residual_sd))


def fit_tier_map(
    lower_scores: ArrayLike,
    primary_scores: ArrayLike,
    *,
    lower: str,
    primary: str,
    groups: ArrayLike | None = None,
) -> TierMap:
    """Fit a map to opinions (N,) that both tiers gave.

    Args:
        groups: (N,) which picture each opinion is of, if a picture has more than one. Opinions of
            one picture are alike, so they are left out together where the error is measured.

    Raises:
        NotComparable: if they are too few, or the one tier does not follow the other.
    """
    seen, wanted = np.asarray(lower_scores, dtype=float), np.asarray(primary_scores, dtype=float)
    picture = np.arange(len(seen)) if groups is None else _numbered(np.asarray(groups))
    _check_enough(seen, wanted, picture, lower, primary)
    correlation = _checked_correlation(seen, wanted, lower, primary)
    knots, values = _centred_isotonic(seen, wanted)
    if len(knots) == 1:
        raise NotComparable(f"{primary} does not rise with {lower}: the best rising map is level")
    errors = _held_out_errors(seen, wanted, picture % FOLDS)
    by_picture = np.bincount(picture, weights=errors) / np.bincount(picture)
    return TierMap(
        lower=lower,
        primary=primary,
        knots=tuple(knots.tolist()),
        values=tuple(values.tolist()),
        residual_sd=_root_mean_square(errors),
        pairs=len(seen),
        pictures=len(by_picture),
        rank_correlation=correlation,
        level_off=float(np.mean(seen - wanted)),
        level_se=_root_mean_square(by_picture) / float(np.sqrt(len(by_picture))),
    )


def _numbered(groups: NDArray[np.generic]) -> NDArray[np.intp]:
    """Groups as numbers from 0, in the order in which they first appear."""
    _, first, place = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[place])


def _check_enough(
    seen: Array, wanted: Array, picture: NDArray[np.intp], lower: str, primary: str
) -> None:
    if not (np.isfinite(seen).all() and np.isfinite(wanted).all()):
        raise ValueError("scores must be finite: leave out what either tier could not judge")
    pictures = len(np.unique(picture))
    if len(seen) < LEAST_PAIRS or pictures < LEAST_PICTURES:
        raise NotComparable(
            f"{lower} and {primary} have {len(seen)} opinions of {pictures} pictures in common; at "
            f"least {LEAST_PAIRS} opinions of {LEAST_PICTURES} pictures are needed: score more "
            "pictures with both"
        )


def _checked_correlation(seen: Array, wanted: Array, lower: str, primary: str) -> float:
    from scipy.stats import spearmanr  # a third of a second, which services need not wait for

    if np.ptp(seen) == 0 or np.ptp(wanted) == 0:
        raise NotComparable(f"{lower} or {primary} gives every picture the same score")
    correlation = float(spearmanr(seen, wanted).statistic)
    if correlation < LEAST_CORRELATION:
        raise NotComparable(
            f"{lower} does not follow {primary}: their rank correlation is {correlation:.2f}, "
            f"at least {LEAST_CORRELATION} is needed"
        )
    return correlation


def _centred_isotonic(seen: Array, wanted: Array) -> tuple[Array, Array]:
    """The centres of the isotonic fit's level stretches; both strictly increase."""
    knots, place, counts = np.unique(seen, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=wanted) / counts
    fit = isotonic_regression(means, weights=counts)
    block = np.repeat(np.arange(len(fit.blocks) - 1), np.diff(fit.blocks))
    weight = np.bincount(block, weights=counts)
    centres = np.bincount(block, weights=counts * knots) / weight
    return centres, fit.x[fit.blocks[:-1]]


def _held_out_errors(seen: Array, wanted: Array, fold: NDArray[np.intp]) -> Array:
    """Errors (N,) of maps that were fitted without the fold that they are tried on."""
    errors = np.empty(len(seen))
    for left_out in range(FOLDS):
        kept = fold != left_out
        knots, values = _centred_isotonic(seen[kept], wanted[kept])
        errors[~kept] = np.interp(seen[~kept], knots, values) - wanted[~kept]
    return errors


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
