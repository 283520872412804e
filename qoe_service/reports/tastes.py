"""Whether raters with more of a trait like more of a feature: the report's heat map."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from qoe_service.errors import UnusableRatings
from qoe_service.judges.evidence import Effect, effects
from qoe_service.ratings import Ratings
from qoe_service.reports.messages import Estimate, TraitFactor
from qoe_service.schemas import TRAITS
from qoe_service.statistics.additive import check_connected, fit_additive
from qoe_service.statistics.intervals import CONFIDENCE

Array = NDArray[np.float64]

LEAST_RATERS, LEAST_ITEMS = 6, 4
"""A correlation over fewer raters, or a slope over fewer items, says nothing."""


def trait_factors(
    ratings: Ratings, traits: Array, names: tuple[str, ...], features: Array
) -> tuple[TraitFactor, ...]:
    """Every trait with every feature that varies.

    Args:
        ratings: of I items by R raters.
        traits: (R, 5) z-scores.
        names: of the F features.
        features: (I, F) numbers.

    Raises:
        UnusableRatings: for too few raters or items, or raters who share none.
    """
    check_connected(ratings.scores)
    if len(ratings.raters) < LEAST_RATERS or len(ratings.items) < LEAST_ITEMS:
        raise UnusableRatings(
            f"tastes need {LEAST_RATERS} raters and {LEAST_ITEMS} items, got "
            f"{len(ratings.raters)} and {len(ratings.items)}"
        )
    liked = _slopes(fit_additive(ratings.scores).residuals, features)
    return tuple(_factors(names, liked, traits))


def _slopes(residuals: Array, features: Array) -> Array:
    """(R, F) how much more of each feature each rater likes, NaN where that cannot be told."""
    there = np.isfinite(residuals).T[:, :, None].astype(float)  # (R, I, 1)
    counts = there.sum(axis=1, keepdims=True)
    centred = features[None] - (there * features[None]).sum(axis=1, keepdims=True) / counts
    centred = there * centred
    filled = np.where(np.isfinite(residuals), residuals, 0.0).T[:, :, None]
    room = np.square(centred).sum(axis=1)
    slopes = np.full(room.shape, np.nan)
    np.divide((centred * filled).sum(axis=1), room, out=slopes, where=room > 1e-12)
    return slopes


def _factors(names: tuple[str, ...], liked: Array, traits: Array) -> Iterator[TraitFactor]:
    known: dict[tuple[str, str], Effect] = {(e.feature, e.trait): e for e in effects()}
    for column, feature in enumerate(names):
        for place, trait in enumerate(TRAITS):
            r = _correlation(liked[:, column], traits[:, place])
            if r is not None:
                yield _factor(feature, trait, r, known.get((feature, trait)))


def _factor(feature: str, trait: str, r: Estimate, evidence: Effect | None) -> TraitFactor:
    return TraitFactor(
        feature=feature,
        trait=trait,
        r=r,
        expected=None if evidence is None else evidence.effect,
        replicated=evidence is not None and evidence.replicated,
    )


def _correlation(liked: Array, trait: Array) -> Estimate | None:
    """Pearson's r with Fisher's interval; `None` for too few raters, or no variance."""
    both = np.isfinite(liked)
    if both.sum() < LEAST_RATERS or min(np.ptp(liked[both]), np.ptp(trait[both])) < 1e-9:
        return None
    r = float(np.corrcoef(liked[both], trait[both])[0, 1])
    reach = float(ndtri((1 + CONFIDENCE) / 2)) / np.sqrt(both.sum() - 3)
    middle = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    return Estimate(
        point=r, low=float(np.tanh(middle - reach)), high=float(np.tanh(middle + reach))
    )
