"""Item plus rater: the least-squares fit of a table of ratings that may have gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qoe_service.errors import UnusableRatings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AdditiveFit:
    """score = item + rater + residual, where the rater effects have mean 0."""

    items: Array
    raters: Array
    residuals: Array
    """(I, R), NaN where there is no rating."""


def fit_additive(scores: Array) -> AdditiveFit:
    """The fit of a table whose items and raters hang together (`check_connected`)."""
    there = np.isfinite(scores)
    filled = np.where(there, scores, 0.0)
    if there.all():
        raters = scores.mean(axis=0) - scores.mean()
    else:
        raters = _rater_effects(filled, there.astype(float))
    raters = raters - raters.mean()
    items = (filled - there * raters).sum(axis=1) / there.sum(axis=1)
    return AdditiveFit(items, raters, scores - items[:, None] - raters)


def _rater_effects(filled: Array, there: Array) -> Array:
    """The normal equations with the items eliminated; their null space, a shift, is filled."""
    if len(there) < there.shape[1]:
        items = _rater_effects(filled.T, there.T)
        raters: Array = (filled - there * items[:, None]).sum(axis=0) / there.sum(axis=0)
        return raters
    share = there / there.sum(axis=1, keepdims=True)
    matrix = np.diag(there.sum(axis=0)) - there.T @ share
    found: Array = np.linalg.solve(
        matrix + there.sum() / matrix.size, filled.sum(axis=0) - share.T @ filled.sum(axis=1)
    )
    return found


def check_connected(scores: Array) -> None:
    """Say who cannot be compared with whom.

    Raises:
        UnusableRatings: if the table is empty, an item or a rater has no rating, or the raters fall
            into groups that share no item.
    """
    if scores.ndim != 2:
        raise UnusableRatings(f"ratings are a table of items by raters, got shape {scores.shape}")
    there = np.isfinite(scores)
    if not there.any():
        raise UnusableRatings("there are no ratings")
    for what, empty in (("item", ~there.any(axis=1)), ("rater", ~there.any(axis=0))):
        if empty.any():
            raise UnusableRatings(
                f"{what} number {int(empty.argmax()) + 1} has no rating; leave it out"
            )
    if there.all():
        return
    items, raters = there.nonzero()
    size = sum(scores.shape)
    links = coo_array((np.ones(len(items)), (items, raters + len(scores))), shape=(size, size))
    count, _ = connected_components(links, directed=False)
    if count > 1:
        raise UnusableRatings(
            f"the raters fall into {count} groups that rated no item in common: their ratings "
            "cannot be told apart from their bias; add ratings that link them"
        )
