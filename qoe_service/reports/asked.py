"""From a request to the study that it asks a report of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qoe_service.errors import BadRatings
from qoe_service.persona import Persona
from qoe_service.ratings import Ratings
from qoe_service.reports.messages import MAX_RATINGS, Rating, ReportRequest
from qoe_service.reports.study import Study, mean_of_sessions


def study_of(request: ReportRequest, people: Mapping[str, Persona]) -> Study:
    """The study of a request; `people` are the personas that may be among its raters, by id.

    Raises:
        BadRatings: if ratings are no table.
    """
    sessions = tables("ratings", request.ratings)
    raters = next(iter(sessions.values())).raters
    known = [people[rater] for rater in raters if rater in people and rater not in request.traits]
    return Study(
        sessions=sessions,
        traits={persona.id: persona.traits for persona in known} | dict(request.traits),
        norms=tuple(dict.fromkeys(persona.norm for persona in known)),
        features=request.features,
        sources=request.sources,
        conditions=request.conditions,
        human=None if request.human is None else tables("human", request.human),
        anchors=None
        if request.anchors is None
        else mean_of_sessions(tables("anchors", request.anchors)),
    )


def tables(field: str, ratings: Sequence[Rating]) -> Mapping[str, Ratings]:
    """The ratings of each session, over the same items and raters, in the order sent.

    Raises:
        BadRatings: if a rating is given twice, or the table would be too large.
    """
    items, raters, sessions = (
        {name: place for place, name in enumerate(dict.fromkeys(names))}
        for names in zip(*((r.item, r.rater, r.session) for r in ratings), strict=True)
    )
    size = len(items) * len(raters) * len(sessions)
    if size > MAX_RATINGS:
        raise BadRatings(
            f"{field}: {len(items)} items by {len(raters)} raters in {len(sessions)} sessions are "
            f"{size:,} places; one report may have {MAX_RATINGS:,}, make several"
        )
    scores = np.full((len(sessions), len(items), len(raters)), np.nan)
    seen: set[tuple[int, int, int]] = set()
    for number, rating in enumerate(ratings):
        place = (sessions[rating.session], items[rating.item], raters[rating.rater])
        if place in seen:
            raise BadRatings(
                f"{field}[{number}]: {rating.rater} has rated {rating.item} already; keep one, or "
                "name the session of each"
            )
        seen.add(place)
        scores[place] = np.nan if rating.score is None else rating.score
    return {
        session: Ratings(tuple(items), tuple(raters), scores[place])
        for session, place in sessions.items()
    }
