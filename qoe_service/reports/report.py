"""From ratings to the report that ITU-T P.800.2 asks for with a mean opinion score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.reports.limits import Limits, names
from qoe_service.reports.messages import (
    Effects,
    Estimate,
    ItemOpinion,
    Method,
    MosReport,
    Share,
    Spread,
    TraitFactor,
)
from qoe_service.reports.people import anchored, beside_people, spread
from qoe_service.reports.raters import Subjects, rater_opinions, subjects
from qoe_service.reports.study import Study
from qoe_service.reports.tastes import trait_factors
from qoe_service.statistics import (
    Interval,
    bounded_opinion_score,
    effect_budget,
    mean_opinion_score,
    opinion_shares,
    sos_parameter,
    variance_shares,
)
from qoe_service.statistics.intervals import student_quantile

Array = NDArray[np.float64]

SEED = 0
"""Of the resampling behind intervals: the same ratings give the same report."""

ENOUGH_FOR_STUDENT = 20
"""With fewer ratings the interval that is bounded by the scale is told too."""

METHOD = "absolute category rating (ACR) of single items, after ITU-T P.910"
SCALE = "1 bad, 2 poor, 3 fair, 4 good, 5 excellent; answers between two grades are allowed"
INTERVAL = (
    "95 %; means: Student's t over raters, cut off at the ends of the scale; for fewer than 20 "
    "ratings also bounded by the scale (Clopper-Pearson, Hossfeld et al. 2018); shares: Wilson; "
    "effect budget: 500 bootstrap draws of items and raters; subject model: ITU-T P.910 Annex E"
)


def make_report(study: Study, *, created: datetime | None = None) -> MosReport:
    """Everything that these ratings can say, and for the rest why they cannot.

    created: when; now if not given.

    Raises:
        UnusableRatings: if nothing was rated at all.
    """
    ratings = study.ratings
    if ratings.count == 0:
        raise UnusableRatings("there is not one rating; nothing can be reported")
    limits = Limits()
    _note_gaps(ratings, limits)
    _note_judges(study, limits)
    rng = np.random.default_rng(SEED)
    found = subjects(study, limits)
    line, on_line = anchored(study, limits)
    items = tuple(_item(ratings, row, found, on_line) for row in range(len(ratings.items)))
    return MosReport(
        method=_method(study, created or datetime.now(UTC)),
        mos=_overall(items, limits),
        items=items,
        raters=rater_opinions(study, found),
        spread=_spread(ratings, limits),
        effects=_effects(study, limits, rng),
        tastes=_tastes(study, limits),
        people=beside_people(study, limits, rng),
        anchoring=line,
        limits=limits.told,
    )


def _note_gaps(ratings: Ratings, limits: Limits) -> None:
    there = np.isfinite(ratings.scores)
    unrated = [item for item, row in zip(ratings.items, there, strict=True) if not row.any()]
    silent = [
        rater for rater, rated in zip(ratings.raters, there.T, strict=True) if not rated.any()
    ]
    if unrated:
        limits.add(f"items without any rating: {names(unrated)}")
    if silent:
        limits.add(f"raters without any rating: {names(silent)}")
    single = [item for item, row in zip(ratings.items, there, strict=True) if row.sum() == 1]
    if single:
        limits.add(
            "one opinion says nothing of the spread of opinions, so the interval is the whole "
            f"scale: {names(single)}"
        )


def _note_judges(study: Study, limits: Limits) -> None:
    if not study.sources:
        limits.add(
            "which judge gave the ratings is not known: tier, model and revision are missing"
        )
    failed = sorted({s.judge for s in study.sources if s.interview == "fails"})
    if failed:
        limits.add(
            f"interviewed as its personas, {names(failed)} did not play them: what it says is no "
            "evidence of who likes what"
        )
    tiers = sorted({source.tier for source in study.sources})
    if len(tiers) > 1:
        limits.add(
            f"the ratings come from several judges ({', '.join(tiers)}): differences between them "
            "are part of every figure"
        )


def _method(study: Study, created: datetime) -> Method:
    ratings = study.ratings
    counts = np.isfinite(ratings.scores).sum(axis=1)
    return Method(
        method=METHOD,
        scale=SCALE,
        raters=_raters(study),
        items=len(ratings.items),
        rater_count=len(ratings.raters),
        ratings=int(np.isfinite(study.stack).sum()),
        missing=ratings.scores.size - ratings.count,
        per_item=(int(counts.min()), int(counts.max())),
        sessions=len(study.sessions),
        conditions=study.conditions,
        sources=study.sources,
        norms=study.norms,
        interval=INTERVAL,
        written_by=f"persona-qoe {version('persona-qoe')}",
        created=created,
    )


def _raters(study: Study) -> str:
    raters = study.ratings.raters
    known = sum(rater in study.traits for rater in raters)
    if known == len(raters):
        return f"{known} simulated raters: personas with Big-Five z-scores"
    if known == 0:
        return f"{len(raters)} raters, of whom no traits are known"
    return f"{len(raters)} raters, {known} of them personas with Big-Five z-scores"


def _item(
    ratings: Ratings, row: int, found: Subjects, anchored: Mapping[str, float]
) -> ItemOpinion:
    name, scores = ratings.items[row], ratings.of_item(row)
    if scores.size == 0:
        return ItemOpinion(item=name, mos=None)
    shares = opinion_shares(scores)
    return ItemOpinion(
        item=name,
        mos=mean_opinion_score(scores),
        bounded=_bounded(scores),
        sd=float(scores.std(ddof=1)) if scores.size > 1 else None,
        median=float(np.median(scores)),
        good_or_better=Estimate.of(shares.good_or_better),
        poor_or_worse=Estimate.of(shares.poor_or_worse),
        quality=found.quality(name),
        anchored=anchored.get(name),
    )


def _bounded(scores: Array) -> Estimate | None:
    if scores.size >= ENOUGH_FOR_STUDENT:
        return None
    found = bounded_opinion_score(scores)
    return Estimate(point=found.mean, low=found.low, high=found.high)


def _overall(items: tuple[ItemOpinion, ...], limits: Limits) -> Estimate | None:
    means = np.array([item.mos.mean for item in items if item.mos is not None])
    if len(means) < 2:
        limits.add("one item has no mean over items: what holds of it need not hold of others")
        return None
    reach = student_quantile(len(means) - 1) * float(means.std(ddof=1)) / np.sqrt(len(means))
    middle = float(means.mean())
    return Estimate(point=middle, low=max(1.0, middle - reach), high=min(5.0, middle + reach))


def _spread(ratings: Ratings, limits: Limits) -> Spread | None:
    return spread(limits.attempt("SOS parameter", ratings, lambda: sos_parameter(ratings.scores)))


def _effects(study: Study, limits: Limits, rng: np.random.Generator) -> Effects | None:
    rated = study.ratings.rated()
    there = np.isfinite(study.ratings.scores)
    scores = study.stack[np.ix_(there.any(axis=1), there.any(axis=0))]
    shares = limits.attempt("effect budget", rated, lambda: variance_shares(scores))
    if shares is None:
        return None
    drawn = limits.attempt(
        "interval of the effect budget", rated, lambda: effect_budget(scores, rng)
    )
    if drawn is None:
        return Effects(
            picture=Share(point=shares.picture),
            persona=Share(point=shares.persona),
            interaction=Share(point=shares.interaction),
            of_personas=Share(point=shares.of_personas),
            residual=Share(point=shares.residual) if shares.residual > 0 else None,
        )
    return Effects(
        picture=_share(drawn.picture),
        persona=_share(drawn.persona),
        interaction=_share(drawn.interaction),
        of_personas=_share(drawn.of_personas),
        residual=None if drawn.residual is None else _share(drawn.residual),
    )


def _share(drawn: Interval) -> Share:
    return Share(point=drawn.point, low=drawn.low, high=drawn.high)


def _tastes(study: Study, limits: Limits) -> tuple[TraitFactor, ...]:
    rated = study.ratings.rated()
    traits = study.traits_of(rated.raters)
    kept, features = study.feature_table(rated.items)
    if traits is None or not kept:
        missing = "features of the items" if traits is not None else "traits of all raters"
        limits.add(f"no tastes by trait and feature: {missing} are not known")
        return ()
    found = limits.attempt(
        "tastes by trait and feature", rated, lambda: trait_factors(rated, traits, kept, features)
    )
    return found or ()
