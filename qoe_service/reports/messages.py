"""What is reported on, and the report. What cannot be said is null, and `limits` says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, FiniteFloat

from qoe_service.persona import ID_PATTERN
from qoe_service.schemas import (
    HIGHEST_SCORE,
    LOWEST_SCORE,
    InterviewVerdict,
    MeanOpinionScore,
    Traits,
    Wire,
)

if TYPE_CHECKING:
    from qoe_service.statistics.intervals import Interval

MAX_RATINGS = 200_000
"""Of one table in a request, gaps included: what a processor does in seconds."""

MAX_FEATURES = 100
"""Of one item in a request."""

Name = Annotated[str, Field(min_length=1, max_length=400)]
Score = Annotated[float, Field(strict=True, ge=LOWEST_SCORE, le=HIGHEST_SCORE)]
"""Strict: `true` is no score."""


class Rating(Wire):
    """One rater's score of one item; null if there is none. `session`: of repeated ratings."""

    item: Name
    rater: Name
    score: Score | None
    session: str = Field(default="", max_length=200)


class Source(Wire):
    """Which judge gave ratings, and how many. `interview`: whether it plays its personas."""

    tier: str
    judge: str
    revision: str
    prompt: str | None = None
    calibration: str | None = None
    interview: InterviewVerdict | None = None
    ratings: int | None = Field(default=None, ge=0)


class ReportRequest(Wire):
    """`POST /v1/report`.

    Raters whose names are ids of personas that the service has, or of the population named, have
    their traits; `traits` adds those of others.
    """

    ratings: tuple[Rating, ...] = Field(min_length=1, max_length=MAX_RATINGS)
    human: tuple[Rating, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RATINGS,
        description="People's ratings of the same items, to set beside the panel's.",
    )
    anchors: tuple[Rating, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RATINGS,
        description="People's ratings of some of the items: the panel's mean opinions are shifted "
        "and scaled to theirs.",
    )
    population: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Whose people the raters are."
    )
    traits: Mapping[Name, Traits] = Field(default={}, description="Of raters, by name.")
    features: Mapping[
        Name, Annotated[Mapping[str, FiniteFloat], Field(max_length=MAX_FEATURES)]
    ] = Field(default={}, description="Numbers that describe the items, by item and by feature.")
    sources: tuple[Source, ...] = Field(default=(), description="Which judges gave the ratings.")
    conditions: str | None = Field(
        default=None, max_length=2000, description="How the items came about, in words."
    )


class Estimate(Wire):
    """A figure with its 95 % interval."""

    point: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval | None) -> Self | None:
        """The same on the wire; `None` if there is no such figure, for JSON has no NaN."""
        if interval is None or not all(map(isfinite, astuple(interval))):
            return None
        return cls(point=interval.point, low=interval.low, high=interval.high)


class Method(Wire):
    """How the ratings came about: what ITU-T P.800.2 wants told beside a mean opinion score."""

    method: str
    scale: str
    raters: str
    items: int
    rater_count: int
    ratings: int
    missing: int = Field(description="Pairs of an item and a rater without a rating.")
    per_item: tuple[int, int] = Field(description="Ratings of an item, least and most.")
    sessions: int
    conditions: str | None
    sources: tuple[Source, ...]
    norms: tuple[str, ...]
    interval: str
    written_by: str
    created: datetime


class ItemOpinion(Wire):
    """What was thought of one item.

    mos: with Student's interval. bounded: with the interval that is bounded by the scale, for fewer
    than 20 ratings. quality: of the subject model. anchored: the mean on people's scale.
    """

    item: str
    mos: MeanOpinionScore | None
    bounded: Estimate | None = None
    sd: float | None = None
    median: float | None = None
    good_or_better: Estimate | None = None
    poor_or_worse: Estimate | None = None
    quality: Estimate | None = None
    anchored: float | None = None


class RaterOpinion(Wire):
    """How one rater rates.

    quantiles: least, quartiles and most. grades: how many ratings are nearest to 1, 2, 3, 4, 5.
    bias, inconsistency: of the subject model. remark: what screening found.
    """

    rater: str
    ratings: int
    mean: float
    quantiles: tuple[float, float, float, float, float]
    grades: tuple[int, int, int, int, int]
    traits: Traits | None = None
    bias: Estimate | None = None
    inconsistency: Estimate | None = None
    rejected: bool | None = None
    remark: str | None = None


class Share(Wire):
    """A share of the variance; there is no interval for few items or raters."""

    point: float
    low: float | None = None
    high: float | None = None


class Effects(Wire):
    """The effect budget: whence the variance of ratings. `residual`: null if nothing was repeated,
    for then it is part of the interaction."""

    picture: Share
    persona: Share
    interaction: Share
    of_personas: Share
    residual: Share | None


class Spread(Wire):
    """The SOS parameter, and over how many items it was fitted."""

    a: Estimate
    items: int


class TraitFactor(Wire):
    """Over the raters, the correlation of a trait with the taste for a feature.

    The taste is the slope of a rater's ratings, less what item and rater have in general, on the
    feature. expected: the weight in the evidence; null if it has none. replicated: as it says.
    """

    feature: str
    trait: str
    r: Estimate
    expected: float | None
    replicated: bool


class SelfConsistency(Wire):
    """How well the panel foretells single people, beside how well these foretell themselves."""

    accuracy: Estimate | None
    self_consistency: Estimate | None
    normalised: Estimate | None
    people: int


class OpinionPair(Wire):
    """The mean opinions of panel and people of one item."""

    item: str
    panel: float
    people: float


class BesidePeople(Wire):
    """The panel beside people, over the items that both rated.

    srcc, plcc: correlations of the mean opinions, plcc_mapped after a rising cubic (ITU-T P.1401).
    rmse: in points. ks: distance of the distributions of grades. retest: null unless people rated
    in two sessions.
    """

    items: tuple[OpinionPair, ...]
    people: int
    srcc: Estimate | None
    plcc: Estimate | None
    plcc_mapped: Estimate | None
    rmse: Estimate | None
    ks: Estimate | None
    panel_spread: Spread | None
    people_spread: Spread | None
    retest: SelfConsistency | None = None


class Anchored(Wire):
    """people's mean opinion = shift + scale x the panel's, fitted to the anchors.

    trust: how much of the fitted scale is kept. error_before, error_after: root mean square, in
    points; after: each anchor foretold from the others.
    """

    shift: float
    scale: float
    trust: float
    anchors: tuple[str, ...]
    error_before: float
    error_after: float


class MosReport(Wire):
    """The reply to `POST /v1/report`."""

    method: Method
    mos: Estimate | None = Field(description="The mean over items, and its interval over items.")
    items: tuple[ItemOpinion, ...]
    raters: tuple[RaterOpinion, ...]
    spread: Spread | None
    effects: Effects | None
    tastes: tuple[TraitFactor, ...]
    people: BesidePeople | None = None
    anchoring: Anchored | None = None
    limits: tuple[str, ...] = Field(description="What this report cannot say, and why.")
