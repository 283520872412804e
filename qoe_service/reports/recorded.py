"""A recorded run as a study: what its personas said of its pictures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from qoe_service.errors import NoRecord
from qoe_service.persona import Persona
from qoe_service.ratings import Ratings
from qoe_service.records.answered import Answered, Recalled
from qoe_service.records.run_file import read, runs_in
from qoe_service.reports.messages import Source
from qoe_service.reports.study import Study

SHOWN_PROMPT, SHOWN_HASH = 60, 8

Place = tuple[int, str, str]
"""Session, item, rater."""


def study_of_run(folder: Path, run: str, people: Sequence[Persona]) -> Study:
    """The study of a run on record; personas whose files have changed since are told by their hash.

    A picture judged twice for the same prompt and delay makes two sessions; what came from the
    cache the second time was said once.

    Raises:
        NoRecord: if the folder has no record of the run, or no score is in it.
        UnusableRecord: if the record is damaged.
    """
    paths = runs_in(folder)
    if run not in paths:
        there = ", ".join(sorted(paths)) or "none"
        raise NoRecord(f"no run {run!r} is recorded in {folder}; there are: {there}")
    answered = read(paths[run]).answered
    named = {persona.content_hash: persona for persona in people}
    places = dict(_places(answered, named))
    if not places:
        raise NoRecord(f"run {run!r} in {paths[run]} holds no score at all")
    raters = {rater for _, _, rater in places}
    known = [persona for persona in people if persona.id in raters]
    return Study(
        sessions=_tables(places),
        traits={persona.id: persona.traits for persona in known},
        norms=tuple(dict.fromkeys(persona.norm for persona in known)),
        sources=_sources(answered),
        conditions=f"run {run!r}, recorded in {paths[run].name}",
    )


def _places(
    answered: Sequence[Answered], named: Mapping[str, Persona]
) -> Iterator[tuple[Place, float]]:
    said: Counter[tuple[str, str]] = Counter()
    for request in answered:
        for each in request.recalled():
            item = _item(each)
            for persona, score in zip(request.panel, each.case.scores, strict=True):
                rater = named[persona].id if persona in named else persona[:SHOWN_HASH]
                before = said[item, rater]
                if score is None or (each.case.cached and before):
                    continue
                said[item, rater] += 1
                yield (before, item, rater), score


def _item(recalled: Recalled) -> str:
    """The prompt's beginning, and a hash that tells one picture and prompt from another."""
    case = recalled.case
    words = " ".join(case.prompt.split())
    prompt = words if len(words) <= SHOWN_PROMPT else f"{words[:SHOWN_PROMPT]}..."
    digest = hashlib.sha256(f"{case.picture} {case.prompt}".encode()).hexdigest()
    delay = f", {case.delay_s:g} s" if case.delay_s else ""
    return f"{prompt} [{digest[:SHOWN_HASH]}{delay}]"


def _tables(places: Mapping[Place, float]) -> Mapping[str, Ratings]:
    items = {item: row for row, item in enumerate(dict.fromkeys(item for _, item, _ in places))}
    raters = {rater: at for at, rater in enumerate(sorted({rater for _, _, rater in places}))}
    count = 1 + max(session for session, _, _ in places)
    scores = np.full((count, len(items), len(raters)), np.nan)
    for (session, item, rater), score in places.items():
        scores[session, items[item], raters[rater]] = score
    return {
        str(session + 1): Ratings(tuple(items), tuple(raters), table)
        for session, table in enumerate(scores)
    }


def _sources(answered: Sequence[Answered]) -> tuple[Source, ...]:
    counts: Counter[Source] = Counter()
    for request in answered:
        for each in request.recalled():
            judge = each.judge
            source = Source(
                tier=judge.tier,
                judge=judge.name,
                revision=judge.revision,
                prompt=judge.prompt,
                calibration=judge.calibration,
                interview=judge.interview,
            )
            counts[source] += sum(score is not None for score in each.case.scores)
    return tuple(
        source.model_copy(update={"ratings": count}) for source, count in counts.most_common()
    )
