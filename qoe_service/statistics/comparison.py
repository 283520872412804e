"""A panel's ratings beside people's, of the same items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import rankdata

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE
from qoe_service.statistics.goodness import nearest_grades
from qoe_service.statistics.intervals import Interval, bootstrap_interval
from qoe_service.statistics.sos import SosParameter, sos_parameter

Array = NDArray[np.float64]

LEAST_ITEMS = 5
LEAST_MAPPED = 10
"""A cubic has four coefficients: over fewer items it would fit anything."""


@dataclass(frozen=True)
class HumanComparison:
    """How a panel's mean opinions and ratings agree with people's. Intervals are over the items."""

    items: tuple[str, ...]
    """Those that both have rated."""
    srcc: Interval
    """Spearman's rank correlation of the mean opinions."""
    plcc: Interval
    """Pearson's correlation of the mean opinions as they are."""
    plcc_mapped: Interval | None
    """The same after a monotonic cubic mapping (ITU-T P.1401); `None` below 10 items."""
    rmse: Interval
    """Root mean square difference of the mean opinions, in points of the scale."""
    ks: Interval
    """Kolmogorov-Smirnov distance of the two distributions of grades, every item weighing the
    same; opinions between grades count as the nearer one."""
    panel_sos: SosParameter | None
    people_sos: SosParameter | None
    """`None` where fewer than two items have two ratings."""


def compare(panel: Ratings, people: Ratings, rng: np.random.Generator) -> HumanComparison:
    """The agreement of a panel with people on the items that both rated, matched by name.

    Raises:
        UnusableRatings: for fewer than 5 such items, or mean opinions that are all the same.
    """
    known = set(people.rated().items)
    names = [name for name in panel.rated().items if name in known]
    if len(names) < LEAST_ITEMS:
        raise UnusableRatings(
            f"{len(names)} items were rated by the panel and by people; {LEAST_ITEMS} are the "
            "least for a correlation. Items are matched by name"
        )
    ours, theirs = _of(panel, names), _of(people, names)
    means = np.column_stack([np.nanmean(ours, axis=1), np.nanmean(theirs, axis=1)])
    if np.ptp(means, axis=0).min() < 1e-12:
        raise UnusableRatings("the mean opinions of one side are all the same: nothing correlates")
    grades = np.stack([_grade_shares(ours), _grade_shares(theirs)], axis=1)

    def over_items(statistic: Callable[[Array], float], table: Array) -> Interval:
        return bootstrap_interval(table, statistic, rng)

    return HumanComparison(
        items=tuple(names),
        srcc=over_items(_srcc, means),
        plcc=over_items(_plcc, means),
        plcc_mapped=over_items(_mapped_plcc, means) if len(names) >= LEAST_MAPPED else None,
        rmse=over_items(_rmse, means),
        ks=over_items(_ks, grades),
        panel_sos=_sos(ours),
        people_sos=_sos(theirs),
    )


def mapped_onto(panel: Array, people: Array) -> Array:
    """The panel's mean opinions (I,) through the rising cubic that brings them nearest to people's.

    A cubic in Bernstein form rises if its coefficients do: least squares with steps of at least 0.
    """
    x = ((panel - LOWEST_SCORE) / (HIGHEST_SCORE - LOWEST_SCORE))[:, None]
    basis = np.hstack([(1 - x) ** 3, 3 * x * (1 - x) ** 2, 3 * x**2 * (1 - x), x**3])
    steps = np.cumsum(basis[:, ::-1], axis=1)[:, ::-1]  # the first, then the rises
    coefficients, _ = nnls(steps, people - LOWEST_SCORE)
    mapped: Array = LOWEST_SCORE + steps @ coefficients
    return mapped


def _of(ratings: Ratings, names: list[str]) -> Array:
    places = {name: index for index, name in enumerate(ratings.items)}
    return ratings.scores[[places[name] for name in names]]


def _plcc(means: Array) -> float:
    x, y = (means - means.mean(axis=0)).T
    spread = np.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / spread if spread > 1e-12 else float("nan")


def _srcc(means: Array) -> float:
    return _plcc(rankdata(means, axis=0))


def _mapped_plcc(means: Array) -> float:
    return _plcc(np.column_stack([mapped_onto(*means.T), means[:, 1]]))


def _rmse(means: Array) -> float:
    return float(np.sqrt(np.square(means[:, 0] - means[:, 1]).mean()))


def _grade_shares(scores: Array) -> Array:
    """(I, 5) how the ratings of each item fall on the grades."""
    grades = nearest_grades(scores)
    counts = np.stack([(grades == grade).sum(axis=1) for grade in range(1, 6)], axis=1)
    shares: Array = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _ks(grades: Array) -> float:
    ours, theirs = grades.mean(axis=0)
    return float(np.abs(np.cumsum(ours - theirs)).max())


def _sos(scores: Array) -> SosParameter | None:
    try:
        return sos_parameter(scores)
    except UnusableRatings:
        return None
