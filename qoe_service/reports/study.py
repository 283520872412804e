"""What a report is made of: ratings, and what is known of raters, items and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qoe_service.ratings import Ratings
from qoe_service.reports.messages import Source
from qoe_service.schemas import Traits

Array = NDArray[np.float64]

NO_CHANGE = 1e-9
"""Of a feature over the items, as a share of its size: that much is rounding."""


@dataclass(frozen=True, eq=False)
class Study:
    """Ratings of items by raters.

    Args:
        sessions: tables over the same items and raters; more than one if ratings were repeated.
        traits: of the raters of whom they are known, by name.
        norms: the populations that the traits refer to.
        features: of the items of which they are known: numbers by item and by feature.
        sources: which judges gave the ratings.
        conditions: how the items came about, in words.
        human: people's ratings of some of the items, by session likewise.
        anchors: people's ratings of the items whose mean opinions the panel's are laid on.
    """

    sessions: Mapping[str, Ratings]
    traits: Mapping[str, Traits] = field(default_factory=dict)
    norms: tuple[str, ...] = ()
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    conditions: str | None = None
    human: Mapping[str, Ratings] | None = None
    anchors: Ratings | None = None

    @cached_property
    def ratings(self) -> Ratings:
        """One rating a cell: the mean of what was repeated."""
        return mean_of_sessions(self.sessions)

    @property
    def stack(self) -> Array:
        """(items, raters, sessions)."""
        return np.stack([table.scores for table in self.sessions.values()], axis=-1)

    def traits_of(self, raters: tuple[str, ...]) -> Array | None:
        """(raters, 5) z-scores; `None` unless all of them are known."""
        if not all(rater in self.traits for rater in raters):
            return None
        return np.array([self.traits[rater].vector() for rater in raters])

    def feature_table(self, items: tuple[str, ...]) -> tuple[tuple[str, ...], Array]:
        """The features that all of these items have and that vary over them, and (items, F).

        Counted from their means, in their SDs: whatever unit they are told in.
        """
        known = [self.features.get(item, {}) for item in items]
        names = [name for name in known[0] if all(name in each for each in known)]
        table = np.array([[each[name] for name in names] for each in known], dtype=float)
        table = table.reshape(len(items), len(names))
        varied = np.ptp(table, axis=0) > NO_CHANGE * np.abs(table).max(axis=0, initial=0.0)
        kept = tuple(name for name, varies in zip(names, varied, strict=True) if varies)
        table = table[:, varied]
        return kept, (table - table.mean(axis=0)) / table.std(axis=0)


def mean_of_sessions(sessions: Mapping[str, Ratings]) -> Ratings:
    """The mean of each cell over the sessions that have it."""
    first, *others = sessions.values()
    if not others:
        return first
    stack = np.stack([table.scores for table in sessions.values()])
    counts = np.isfinite(stack).sum(axis=0)
    means = np.divide(
        np.nansum(stack, axis=0), counts, out=np.full(first.scores.shape, np.nan), where=counts > 0
    )
    return Ratings(first.items, first.raters, means)
