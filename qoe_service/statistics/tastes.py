"""Who likes what, as far as traits tell: the part of ratings that personas are asked for.

Taken out before raters are held against each other: a persona that deviates as its traits say is
not an unreliable one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.statistics.additive import check_connected, fit_additive

Array = NDArray[np.float64]

MOST_RATERS = 4_000
"""Of `tastes_by_item`, whose equations are a square table of the raters."""
MOST_PRODUCTS = 40_000_000
"""Of `tastes_by_feature`: a trait by a feature by an item by a rater each."""


@dataclass(frozen=True)
class Tastes:
    """Ratings (I, R) divided in two; the quality of the items is that for the average rater."""

    explained: Array
    """What the traits explain of who likes what, of every item and rater; mean 0 over either."""
    rest: Array
    """The ratings without it, NaN where there is none."""
    freedom: int
    """How many parameters it took."""


def tastes_by_item(scores: Array, traits: Array) -> Tastes:
    """Every item appeals to the traits (R, T) in its own way: nothing is known of the items.

    Least squares of item + rater + (slopes of the item) . traits, the slopes centred over items:
    what a trait does to all items alike is the rater's bias and stays.

    Raises:
        UnusableRatings: if an item has too few ratings for its slopes, raters share no item, or
            there are more than 4,000 raters.
    """
    check_connected(scores)
    if scores.shape[1] > MOST_RATERS:
        raise UnusableRatings(
            f"of {scores.shape[1]} raters the tastes for single items take too much memory, "
            f"{MOST_RATERS} are the most; give features of the items"
        )
    there = np.isfinite(scores)
    mask, filled = there.astype(float), np.where(there, scores, 0.0)
    design = np.column_stack([np.ones(len(traits)), _centred(traits, scores.shape[1])])
    gram = np.einsum("ir,rk,rl->ikl", mask, design, design)
    _check_estimable(gram, mask.sum(axis=1))
    inverse = np.linalg.inv(gram)
    spread = np.einsum("ir,rk,ikl->irl", mask, design, np.linalg.cholesky(inverse))
    wide = spread.transpose(1, 0, 2).reshape(len(design), -1)
    matrix = np.diag(mask.sum(axis=0)) - wide @ wide.T  # the items and their slopes eliminated
    projected = np.einsum("irl,isl,is->r", spread, spread, filled, optimize=True)
    null_space = design @ design.T * (mask.sum() / mask.size)
    bias = np.linalg.solve(matrix + null_space, filled.sum(axis=0) - projected)
    slopes = np.einsum("ikl,rl,ir->ik", inverse, design, filled - mask * bias, optimize=True)
    slopes = slopes[:, 1:] - slopes[:, 1:].mean(axis=0)
    explained = slopes @ design[:, 1:].T
    return Tastes(explained, scores - explained, freedom=(len(scores) - 1) * traits.shape[1])


def tastes_by_feature(scores: Array, traits: Array, features: Array) -> Tastes:
    """Traits (R, T) meet features of the items (I, F): one coefficient for each pair.

    Least squares of item + rater + sum of coefficient x feature x trait. Takes fewer parameters
    than `tastes_by_item`, and leaves what the features do not tell.

    Raises:
        UnusableRatings: if there are not enough ratings, or too many for so many features, or
            raters share no item.
    """
    check_connected(scores)
    if scores.size * traits.shape[1] * features.shape[1] > MOST_PRODUCTS:
        raise UnusableRatings(
            f"{features.shape[1]} features are too many for a table of {scores.size:,} places; use "
            "fewer"
        )
    there = np.isfinite(scores)
    pairs = np.einsum(
        "if,rt->ftir", _centred(features, len(scores)), _centred(traits, there.shape[1])
    )
    pairs = pairs.reshape(-1, *scores.shape)
    alone = np.stack(
        [fit_additive(np.where(there, pair, np.nan)).residuals[there] for pair in pairs]
    )
    residuals = fit_additive(scores).residuals[there]
    freedom_left = there.sum() - sum(scores.shape) + 1
    coefficients, _, rank, _ = np.linalg.lstsq(alone.T, residuals, rcond=None)
    if rank >= freedom_left:
        raise UnusableRatings(
            f"{len(pairs)} pairs of trait and feature are too many for {there.sum()} ratings; "
            "collect more, or use fewer features"
        )
    explained = np.tensordot(coefficients, pairs, axes=1)
    return Tastes(explained, scores - explained, freedom=int(rank))


def _centred(table: Array, rows: int) -> Array:
    if table.ndim != 2 or len(table) != rows or not np.isfinite(table).all():
        raise UnusableRatings(f"need {rows} rows of finite numbers, got shape {table.shape}")
    centred: Array = table - table.mean(axis=0)
    return centred


def _check_estimable(gram: Array, counts: Array) -> None:
    short = np.linalg.matrix_rank(gram, hermitian=True) < gram.shape[1]
    short |= counts <= gram.shape[1]
    if short.any():
        item = int(short.argmax())
        raise UnusableRatings(
            f"item number {item + 1} has {counts[item]:g} ratings, by raters too few or too alike "
            f"to tell {gram.shape[1] - 1} traits apart; use fewer traits, or more raters"
        )
