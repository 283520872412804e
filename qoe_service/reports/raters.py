"""How each rater rates: distribution, bias, inconsistency, and who stands out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from qoe_service.ratings import Ratings
from qoe_service.reports.limits import Limits, names
from qoe_service.reports.messages import Estimate, RaterOpinion
from qoe_service.reports.study import Study
from qoe_service.statistics import (
    Screening,
    SubjectModel,
    screen,
    subject_model,
    tastes_by_feature,
    tastes_by_item,
)
from qoe_service.statistics.goodness import nearest_grades
from qoe_service.statistics.intervals import CONFIDENCE
from qoe_service.statistics.p910 import LEAST_ITEMS

Array = NDArray[np.float64]

QUARTILES = (0, 0.25, 0.5, 0.75, 1)

NORMAL_REACH = float(ndtri((1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class Subjects:
    """The subject model and the screening of the raters who rated enough, by name."""

    table: Ratings
    model: SubjectModel | None
    screening: Screening | None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.table.items)}

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {rater: column for column, rater in enumerate(self.table.raters)}

    def quality(self, item: str) -> Estimate | None:
        """The quality of an item for the average rater."""
        if self.model is None or item not in self._rows:
            return None
        row = self._rows[item]
        return _around(self.model.quality[row], self.model.quality_errors[row])

    def bias(self, rater: str) -> Estimate | None:
        """How much milder than the average a rater is."""
        if self.model is None or rater not in self._columns:
            return None
        place = self._columns[rater]
        return _around(self.model.bias[place], self.model.bias_errors[place])

    def inconsistency(self, rater: str) -> Estimate | None:
        """One standard deviation of what is left of a rater's ratings."""
        if self.model is None or rater not in self._columns:
            return None
        place = self._columns[rater]
        point, low, high = (
            float(each[place])
            for each in (
                self.model.inconsistency,
                self.model.inconsistency_low,
                self.model.inconsistency_high,
            )
        )
        return Estimate(point=point, low=low, high=high)

    def screened(self, rater: str) -> tuple[bool | None, str | None]:
        """Whether a rater is rejected, and what there is to say; `None` if it was not screened."""
        if self.screening is None or rater not in self._columns:
            return None, None
        place = self._columns[rater]
        return bool(self.screening.rejected[place]), self.screening.reason(place)


def subjects(study: Study, limits: Limits) -> Subjects:
    """The model and the screening, of ratings without what traits explain of them if that is known:
    a persona that deviates as its traits say is not an unreliable one."""
    table = _of_busy_raters(study.ratings.rated(), limits)
    scores, freedom = _without_tastes(study, table, limits)
    model = limits.attempt("subject model", table, lambda: subject_model(scores, freedom))
    if model is not None and not model.converged:
        limits.add(f"the subject model had not settled after {model.iterations} rounds")
    screening = limits.attempt("screening", table, lambda: screen(scores))
    return Subjects(table, model, screening)


def rater_opinions(study: Study, found: Subjects) -> tuple[RaterOpinion, ...]:
    """Every rater who rated something, in order."""
    ratings = study.ratings
    return tuple(
        _opinion(rater, ratings.scores[:, column], study, found)
        for column, rater in enumerate(ratings.raters)
        if np.isfinite(ratings.scores[:, column]).any()
    )


def _of_busy_raters(table: Ratings, limits: Limits) -> Ratings:
    counts = np.isfinite(table.scores).sum(axis=0)
    idle = [table.raters[column] for column in np.flatnonzero(counts < LEAST_ITEMS)]
    if not idle or len(idle) == len(table.raters):
        return table
    limits.add(
        f"raters with fewer than {LEAST_ITEMS} ratings are no part of subject model and "
        f"screening: {names(idle)}"
    )
    kept = np.flatnonzero(counts >= LEAST_ITEMS).tolist()
    return table.at(range(len(table.items)), kept).rated()


def _without_tastes(study: Study, table: Ratings, limits: Limits) -> tuple[Array, int]:
    traits = study.traits_of(table.raters)
    if traits is None:
        unknown = [rater for rater in table.raters if rater not in study.traits]
        limits.add(
            f"traits are not known of {names(unknown)}: subject model and screening take tastes "
            "for inconsistency"
        )
        return table.scores, 0
    kept, features = study.feature_table(table.items)
    tastes = limits.attempt(
        "tastes taken out before subject model and screening",
        table,
        lambda: (
            tastes_by_feature(table.scores, traits, features)
            if kept
            else tastes_by_item(table.scores, traits)
        ),
    )
    return (table.scores, 0) if tastes is None else (tastes.rest, tastes.freedom)


def _opinion(rater: str, column: Array, study: Study, found: Subjects) -> RaterOpinion:
    scores = column[np.isfinite(column)]
    rejected, remark = found.screened(rater)
    least, first, median, third, most = np.quantile(scores, QUARTILES).tolist()
    return RaterOpinion(
        rater=rater,
        ratings=len(scores),
        mean=float(scores.mean()),
        quantiles=(least, first, median, third, most),
        grades=_grades(scores),
        traits=study.traits.get(rater),
        bias=found.bias(rater),
        inconsistency=found.inconsistency(rater),
        rejected=rejected,
        remark=_constant(scores) or remark,
    )


def _constant(scores: Array) -> str | None:
    """Whether all ratings are the same, as given: without tastes they would not be."""
    if len(scores) < LEAST_ITEMS or np.ptp(scores) > 0:
        return None
    return f"gave the same score to all {len(scores)} items"


def _grades(scores: Array) -> tuple[int, int, int, int, int]:
    """How many are nearest to each grade; halves go with the one farther from "fair"."""
    nearest = nearest_grades(scores).astype(int)
    first, second, third, fourth, fifth = np.bincount(nearest, minlength=6)[1:6].tolist()
    return first, second, third, fourth, fifth


def _around(point: float, error: float) -> Estimate:
    reach = NORMAL_REACH * float(error)
    return Estimate(point=float(point), low=float(point) - reach, high=float(point) + reach)
