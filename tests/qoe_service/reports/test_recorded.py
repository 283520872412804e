"""A recorded run as ratings."""

from __future__ import annotations

import numpy as np
import pytest

from qoe_service.errors import NoRecord
from qoe_service.judges import Case, Deadline
from qoe_service.judges.ladder import Ladder
from qoe_service.persona import Persona
from qoe_service.personas import Registry
from qoe_service.records.recording import Recording
from qoe_service.reports.recorded import study_of_run
from qoe_service.reports.report import make_report
from tests.qoe_service.records.answering import PANEL, Moody, case

LONG = "a dog that " + "very " * 40 + "slowly "


def record(folder, *requests: list[Case], panel=PANEL, fails_on: str = "nothing"):
    bench = Recording(Ladder([Moody(fails_on)]), folder)
    verdicts = [bench.verdicts(cases, panel, tier=None, deadline=Deadline()) for cases in requests]
    bench.close()
    return verdicts


def test_every_score_of_the_run_is_a_rating(tmp_path):
    (said,) = record(tmp_path, [case(shade, run="one") for shade in range(6)])
    study = study_of_run(tmp_path, "one", Registry().all())
    assert study.ratings.raters == tuple(sorted(persona.id for persona in PANEL))
    assert np.array_equal(
        np.sort(study.ratings.scores, axis=None), np.sort(said.opinions.scores, axis=None)
    )
    assert set(study.traits) == set(study.ratings.raters)
    (source,) = study.sources
    assert (source.judge, source.prompt, source.interview) == (
        "moody", "judge-image@1.0.0+abc", "fails",
    )  # fmt: skip
    assert source.ratings == 18
    assert any("did not play them" in limit for limit in make_report(study).limits)


def test_repeats_are_sessions_unless_they_came_from_the_cache(tmp_path):
    record(tmp_path, [case(0, run="r"), case(1, run="r")], [case(0, run="r"), case(1, run="r")])
    study = study_of_run(tmp_path, "r", Registry().all())
    first, second = study.sessions.values()
    assert first.count == 2 * len(PANEL)
    assert second.count == len(PANEL), "the one that was not cached"


def test_prompts_and_delays_tell_items_apart_however_long_they_are(tmp_path):
    cases = [
        case(0, LONG + "running", run="r"),
        case(0, LONG + "sitting", run="r"),
        case(0, LONG + "sitting", run="r", delay_s=3),
    ]
    record(tmp_path, cases)
    items = study_of_run(tmp_path, "r", PANEL).ratings.items
    assert len(set(items)) == 3
    assert all(len(item) < 100 for item in items)


def test_what_failed_is_no_rating_and_personas_that_changed_go_by_their_hash(tmp_path):
    other = Persona.model_validate({**PANEL[0].model_dump(), "about": "Somebody else."})
    changed = (other, *PANEL[1:])
    record(
        tmp_path, [case(0, run="r"), case(1, "poison", run="r")], panel=changed, fails_on="poison"
    )
    study = study_of_run(tmp_path, "r", Registry().all())
    assert len(study.ratings.items) == 1
    assert changed[0].content_hash[:8] in study.ratings.raters
    assert PANEL[0].id not in study.ratings.raters


def test_runs_that_are_not_there_or_hold_nothing(tmp_path):
    record(tmp_path, [case(0, "poison", run="bad")], fails_on="poison")
    with pytest.raises(NoRecord, match="there are: bad"):
        study_of_run(tmp_path, "good", PANEL)
    with pytest.raises(NoRecord, match="no score at all"):
        study_of_run(tmp_path, "bad", PANEL)
