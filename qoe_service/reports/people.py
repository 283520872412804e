"""People's ratings beside the panel's, and the panel's mean opinions on people's scale."""

from __future__ import annotations

import numpy as np

from qoe_service.reports.limits import Limits
from qoe_service.reports.messages import (
    Anchored,
    BesidePeople,
    Estimate,
    OpinionPair,
    SelfConsistency,
    Spread,
)
from qoe_service.reports.study import Study, mean_of_sessions
from qoe_service.statistics import SosParameter, anchor, compare, normalised_accuracy

RETESTED = 2
"""Sessions that self-consistency is told from."""


def beside_people(study: Study, limits: Limits, rng: np.random.Generator) -> BesidePeople | None:
    """The comparison, or `None` if there are no people's ratings, or too few."""
    if study.human is None:
        return None
    panel, people = study.ratings, mean_of_sessions(study.human)
    found = limits.attempt("comparison with people", panel, lambda: compare(panel, people, rng))
    if found is None:
        return None
    ours, theirs = panel.means(), people.means()
    return BesidePeople(
        items=tuple(
            OpinionPair(item=name, panel=ours[name], people=theirs[name]) for name in found.items
        ),
        people=len(people.rated().raters),
        srcc=Estimate.of(found.srcc),
        plcc=Estimate.of(found.plcc),
        plcc_mapped=Estimate.of(found.plcc_mapped),
        rmse=Estimate.of(found.rmse),
        ks=Estimate.of(found.ks),
        panel_spread=spread(found.panel_sos),
        people_spread=spread(found.people_sos),
        retest=_retest(study, limits, rng),
    )


def anchored(study: Study, limits: Limits) -> tuple[Anchored | None, dict[str, float]]:
    """The line through the anchors, and every item's mean opinion laid on it."""
    anchors = study.anchors
    if anchors is None:
        return None, {}
    panel = study.ratings.rated()
    found = limits.attempt("anchoring", panel, lambda: anchor(panel, anchors))
    if found is None:
        return None, {}
    means = found.applied(np.nanmean(panel.scores, axis=1))
    line = Anchored(
        shift=found.shift,
        scale=found.scale,
        trust=found.trust,
        anchors=found.anchors,
        error_before=found.error_before,
        error_after=found.error_after,
    )
    return line, dict(zip(panel.items, means.tolist(), strict=True))


def spread(found: SosParameter | None) -> Spread | None:
    """The SOS parameter on the wire."""
    a = None if found is None else Estimate.of(found.a)
    return None if found is None or a is None else Spread(a=a, items=found.items)


def _retest(study: Study, limits: Limits, rng: np.random.Generator) -> SelfConsistency | None:
    sessions = list((study.human or {}).values())
    if len(sessions) < RETESTED:
        limits.add(
            "accuracy is not set beside people's own consistency: they rated in one session only"
        )
        return None
    panel, (first, second) = study.ratings, sessions[:RETESTED]
    if len(sessions) > RETESTED:
        limits.add(
            f"people's own consistency is told from the first two of {len(sessions)} sessions"
        )
    found = limits.attempt(
        "accuracy beside people's own consistency",
        panel,
        lambda: normalised_accuracy(panel, first, second, rng),
    )
    if found is None:
        return None
    return SelfConsistency(
        accuracy=Estimate.of(found.accuracy),
        self_consistency=Estimate.of(found.self_consistency),
        normalised=Estimate.of(found.normalised),
        people=found.people,
    )
