"""People do not agree with themselves either: a panel's accuracy beside that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.statistics.intervals import Interval, bootstrap_interval

Array = NDArray[np.float64]

LEAST_ITEMS = 5
LEAST_PEOPLE = 3


@dataclass(frozen=True)
class NormalisedAccuracy:
    """How well a panel foretells single people, beside how well they foretell themselves.

    Mean correlations over people, with intervals over people like these. A panel's mean has less
    noise than a person's second rating, so that the ratio may exceed 1; it cannot exceed 1 / sqrt
    of the self-consistency.
    """

    accuracy: Interval
    """Of the panel's mean opinions with each person's ratings."""
    self_consistency: Interval
    """Of each person's ratings in one session with those in the other."""
    normalised: Interval
    """Accuracy divided by self-consistency."""
    people: int


def normalised_accuracy(
    panel: Ratings, first: Ratings, second: Ratings, rng: np.random.Generator
) -> NormalisedAccuracy:
    """Accuracy over the items that a person rated in two sessions and the panel rated too.

    Raises:
        UnusableRatings: if fewer than 3 people rated 5 such items twice without giving them all the
            same score, or if they do not agree with themselves at all.
    """
    ours = panel.means()
    pairs = [pair for name in first.raters if (pair := _of_person(name, ours, first, second))]
    if len(pairs) < LEAST_PEOPLE:
        raise UnusableRatings(
            f"{len(pairs)} people rated {LEAST_ITEMS} of the panel's items in both sessions, with "
            f"any difference between items; self-consistency needs {LEAST_PEOPLE}"
        )
    table = np.array(pairs)
    if table[:, 1].mean() <= 0:
        raise UnusableRatings(
            "people do not agree with themselves from one session to the next: there is nothing to "
            "normalise by; check that the sessions hold the same items"
        )
    return NormalisedAccuracy(
        accuracy=bootstrap_interval(table, lambda drawn: float(drawn[:, 0].mean()), rng),
        self_consistency=bootstrap_interval(table, lambda drawn: float(drawn[:, 1].mean()), rng),
        normalised=bootstrap_interval(table, _ratio, rng),
        people=len(table),
    )


def _of_person(
    name: str, panel: dict[str, float], first: Ratings, second: Ratings
) -> tuple[float, float] | None:
    """A person's correlation with the panel's means, and with itself; `None` for too little."""
    if name not in second.raters:
        return None
    columns = [_by_item(first, name), _by_item(second, name), panel]
    items = [item for item in columns[0] if item in columns[1] and item in columns[2]]
    one, other, ours = (np.array([column[item] for item in items]) for column in columns)
    if len(items) < LEAST_ITEMS or min(np.ptp(one), np.ptp(other), np.ptp(ours)) < 1e-12:
        return None
    accuracy = (_correlation(ours, one) + _correlation(ours, other)) / 2
    return accuracy, _correlation(one, other)


def _by_item(ratings: Ratings, rater: str) -> dict[str, float]:
    column = ratings.scores[:, ratings.raters.index(rater)]
    return {
        item: float(score)
        for item, score in zip(ratings.items, column, strict=True)
        if np.isfinite(score)
    }


def _correlation(one: Array, other: Array) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def _ratio(table: Array) -> float:
    accuracy, self_consistency = table.mean(axis=0)
    return float(accuracy / self_consistency) if self_consistency > 0 else float("nan")
