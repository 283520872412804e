"""Anchors: pictures that people rated shift and scale what a panel of personas says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE

Array = NDArray[np.float64]

LEAST_ANCHORS = 3
LEAST_PEOPLE = 15
TRIED = np.linspace(0, 1, 21)


@dataclass(frozen=True)
class Anchoring:
    """people's mean opinion = shift + scale x the panel's."""

    shift: float
    scale: float
    trust: float
    """How much of the fitted scale is kept: 1 all of it, 0 none, so that only the shift is."""
    anchors: tuple[str, ...]
    error_before: float
    """Root mean square error of the panel's means on the anchors, in points of the scale."""
    error_after: float
    """The same after anchoring, each anchor foretold from the others."""

    def applied(self, mos: Array) -> Array:
        """Mean opinions of the panel as people would put them, kept within the scale."""
        anchored: Array = np.clip(self.shift + self.scale * mos, LOWEST_SCORE, HIGHEST_SCORE)
        return anchored


def anchor(panel: Ratings, people: Ratings) -> Anchoring:
    """The line through the anchors: the items that a panel and 15 people or more have rated.

    Least squares, its slope drawn towards 1 as far as foretelling each anchor from the others
    gains by it: few or noisy anchors shift the panel and hardly scale it.

    Raises:
        UnusableRatings: for fewer than 3 anchors, or if people's order is the panel's reversed.
    """
    ours, theirs = (
        {name: index for index, name in enumerate(each.items)} for each in (panel, people)
    )
    names = [name for name in panel.items if name in theirs]
    anchors = [name for name in names if people.of_item(theirs[name]).size >= LEAST_PEOPLE]
    anchors = [name for name in anchors if panel.of_item(ours[name]).size]
    if len(anchors) < LEAST_ANCHORS:
        raise UnusableRatings(
            f"anchoring needs {LEAST_ANCHORS} pictures that {LEAST_PEOPLE} people and the panel "
            f"rated, there are {len(anchors)} (of {len(names)} that both know); collect more"
        )
    x = np.array([panel.of_item(ours[name]).mean() for name in anchors])
    y = np.array([people.of_item(theirs[name]).mean() for name in anchors])
    errors = _foretelling_errors(x, y)
    trust = float(TRIED[errors.argmin()])
    scale = 1 + trust * (_slope(x, y) - 1)
    if scale <= 0:
        raise UnusableRatings(
            f"people like the anchors in the opposite order of the panel (slope {scale:.2f}); this "
            "panel cannot stand for them"
        )
    return Anchoring(
        shift=float(y.mean() - scale * x.mean()),
        scale=scale,
        trust=trust,
        anchors=tuple(anchors),
        error_before=float(np.sqrt(np.square(x - y).mean())),
        error_after=float(errors.min()),
    )


def _foretelling_errors(x: Array, y: Array) -> Array:
    """Root mean square error of each anchor told by the others, for every trust in the slope."""
    off = []
    for held_out in range(len(x)):
        others = np.arange(len(x)) != held_out
        slopes = 1 + TRIED * (_slope(x[others], y[others]) - 1)
        off.append(y[others].mean() + slopes * (x[held_out] - x[others].mean()) - y[held_out])
    errors: Array = np.sqrt(np.square(off).mean(axis=0))
    return errors


def _slope(x: Array, y: Array) -> float:
    """Of least squares; 1 where the panel does not tell the anchors apart."""
    spread = float(np.square(x - x.mean()).sum())
    return float((x - x.mean()) @ (y - y.mean())) / spread if spread > 1e-12 else 1.0
