"""Where the variance of ratings comes from: the picture, the persona, or who likes what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.statistics.additive import check_connected, fit_additive
from qoe_service.statistics.intervals import Interval, percentile_interval

Array = NDArray[np.float64]

RESAMPLES = 500
LEAST_DRAWN = 5
"""Fewer pictures or personas say too little of what others would bring."""
NO_VARIANCE = 1e-12


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of ratings; they sum to 1."""

    picture: float
    """What all personas agree on."""
    persona: float
    """Some personas rate higher than others throughout."""
    interaction: float
    """Who likes what: persona by picture; inconsistency included where nothing is rated twice."""
    residual: float = 0.0
    """Inconsistency: what the same persona says differently of the same picture."""

    @property
    def of_personas(self) -> float:
        """All that depends on who looks: main effect and interaction."""
        return self.persona + self.interaction


@dataclass(frozen=True)
class EffectBudget:
    """The shares with their intervals over pictures and personas like these."""

    picture: Interval
    persona: Interval
    interaction: Interval
    of_personas: Interval
    residual: Interval | None
    """`None` where nothing was rated twice: it is part of the interaction then."""
    pictures: int
    personas: int
    ratings: int


def variance_shares(scores: Array) -> VarianceShares:
    """Variance components of ratings (pictures, personas) or (pictures, personas, sessions).

    Two-way random effects by fitting constants (Henderson's method III), which allows gaps; with
    sessions, on the means of the cells. A component that is estimated below 0 is told as 0.

    Raises:
        UnusableRatings: for fewer than two pictures or personas, one without a rating, personas who
            share no picture, too many gaps to tell an interaction, or no variance at all.
    """
    cells, noise, kept = _cells(scores)
    check_connected(cells)
    parts = np.maximum(_components(cells, noise * kept), 0.0)
    total = float(parts.sum()) + noise
    if total < NO_VARIANCE:
        raise UnusableRatings("all ratings are equal: there is no variance to divide")
    picture, persona, interaction = (float(part) / total for part in parts)
    return VarianceShares(picture, persona, interaction, noise / total)


def effect_budget(scores: Array, rng: np.random.Generator) -> EffectBudget:
    """The shares of `variance_shares` with 95 % intervals, pictures and personas drawn anew.

    Raises:
        UnusableRatings: as `variance_shares`, or for fewer than 5 pictures or personas.
    """
    shares = variance_shares(scores)
    if min(scores.shape[:2]) < LEAST_DRAWN:
        raise UnusableRatings(
            f"{scores.shape[0]} pictures by {scores.shape[1]} personas: of fewer than {LEAST_DRAWN}"
            " the shares have no interval; collect more"
        )
    drawn = np.array([_told(one) for one in _resampled(scores, rng)])
    picture, persona, interaction, residual, of_personas = map(
        percentile_interval, _told(shares), drawn.T
    )
    return EffectBudget(
        picture=picture,
        persona=persona,
        interaction=interaction,
        of_personas=of_personas,
        residual=residual if shares.residual > 0 else None,
        pictures=scores.shape[0],
        personas=scores.shape[1],
        ratings=int(np.isfinite(scores).sum()),
    )


def _cells(scores: Array) -> tuple[Array, float, float]:
    """The mean rating of each cell, the variance within cells, and how much the means hold of it.

    Without sessions, or where nothing was rated twice, the variance within is 0: not known.
    """
    if scores.ndim == 2:
        return scores, 0.0, 0.0
    there = np.isfinite(scores)
    counts = there.sum(axis=2)
    sums = np.where(there, scores, 0.0).sum(axis=2)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    repeats = int((counts[counts > 0] - 1).sum())
    if repeats == 0:
        return means, 0.0, 0.0
    off = np.where(there, scores - means[..., None], 0.0)
    return means, float(np.square(off).sum()) / repeats, float((1 / counts[counts > 0]).mean())


def _components(cells: Array, noise: float) -> Array:
    """Variance of pictures, personas and their interaction; unbiased, so it may be below 0."""
    there = np.isfinite(cells)
    n, (pictures, personas) = int(there.sum()), cells.shape
    freedom = n - pictures - personas + 1
    if min(cells.shape) < 2 or freedom < 1:
        raise UnusableRatings(
            f"{n} ratings of {pictures} pictures by {personas} personas are too few to tell "
            "interaction from main effects; two of each, and few gaps, are the least"
        )
    left = _sum_of_squares(fit_additive(cells).residuals)
    interaction = left / freedom
    by_picture = _sum_of_squares(cells - np.nanmean(cells, axis=0)) - left
    by_persona = _sum_of_squares(cells - np.nanmean(cells, axis=1, keepdims=True)) - left
    picture = (by_picture - (pictures - 1) * interaction) / (n - personas)
    persona = (by_persona - (personas - 1) * interaction) / (n - pictures)
    return np.array([picture, persona, interaction - noise])


def _sum_of_squares(table: Array) -> float:
    return float(np.nansum(np.square(table)))


def _resampled(scores: Array, rng: np.random.Generator) -> list[VarianceShares]:
    """The shares of tables whose pictures and personas are drawn from these, with replacement."""
    drawn: list[VarianceShares] = []
    for _ in range(2 * RESAMPLES):
        pictures, personas = (rng.integers(n, size=n) for n in scores.shape[:2])
        try:
            drawn.append(variance_shares(scores[pictures][:, personas]))
        except UnusableRatings:  # the same picture throughout, or a gap that cuts the table in two
            continue
        if len(drawn) == RESAMPLES:
            return drawn
    raise UnusableRatings(
        "there are too many gaps to draw pictures and personas anew: the shares have no interval; "
        "collect more"
    )


def _told(shares: VarianceShares) -> tuple[float, ...]:
    return shares.picture, shares.persona, shares.interaction, shares.residual, shares.of_personas
