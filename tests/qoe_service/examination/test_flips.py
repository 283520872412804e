"""Flipping a trait: what is asked, and that a wrong judge is found out."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.examination.flip_pictures import NOT_DRAWN, pairs_of
from qoe_service.examination.flips import (
    FlipReport,
    Verdict,
    changes,
    flip_traits,
    judgments_for,
    poles,
    replicated,
)
from qoe_service.judges import Failure, Opinions
from qoe_service.judges.measures import MEASURES, measure
from qoe_service.schemas import TRAITS, Status

ASKED = sorted({finding.feature for finding in replicated()} - NOT_DRAWN.keys())


class Believer:
    """Likes exactly what it is told that a trait likes; `sign` -1 likes the opposite."""

    tier, name, revision, extraction = "fake", "believer", "1", "rule"
    calibration = prompt = None

    def __init__(self, sign: float = 1.0, failing: int = 0) -> None:
        self.sign, self.failing = sign, failing

    def opinions(self, cases, panel, deadline):
        del deadline
        measures = measure([case.picture for case in cases])
        grey = measures[:, MEASURES.index("grayscale")]
        neuroticism = np.array([persona.traits.neuroticism for persona in panel])
        openness = np.array([persona.traits.openness for persona in panel])
        art = np.array(["mural" in case.prompt for case in cases])
        scores = 3 + self.sign * (0.3 * np.outer(grey, neuroticism) + 0.3 * np.outer(art, openness))
        failures = {
            row: Failure(Status.REFUSED, "I would rather not") for row in range(self.failing)
        }
        scores[list(failures)] = np.nan
        return Opinions(
            scores, np.full_like(scores, 0.1), failures, np.zeros(len(cases), bool), len(cases)
        )

    def check(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("feature", ASKED)
def test_the_pictures_of_a_pair_differ_and_are_the_same_at_every_call(feature):
    first, again = pairs_of(feature, 3), pairs_of(feature, 3)
    for pair, same in zip(first, again, strict=True):
        assert pair.more.picture.sha256 == same.more.picture.sha256
        assert pair.less.picture.sha256 == same.less.picture.sha256
        assert pair.more.picture.sha256 != pair.less.picture.sha256
    assert len({pair.more.picture.sha256 for pair in first}) == 3


@pytest.mark.parametrize("feature", sorted(set(ASKED) & set(MEASURES)))
def test_a_feature_that_can_be_measured_is_higher_in_most_pairs(feature):
    pairs = pairs_of(feature, 12)
    more, less = (
        measure([getattr(pair, end).picture for pair in pairs])[:, MEASURES.index(feature)]
        for end in ("more", "less")
    )
    assert (more > less).mean() > 0.8
    others = [MEASURES.index(name) for name in ("sharpness", "contrast")]
    apart = np.abs(
        measure([pair.more.picture for pair in pairs])[:, others]
        - measure([pair.less.picture for pair in pairs])[:, others]
    )
    assert apart.mean() < 0.2


def test_the_poles_differ_in_one_trait_by_two_sd_and_in_nothing_else():
    low, high = poles("openness", 2)[:2], poles("openness", 2)[2:]
    for one, other in zip(low, high, strict=True):
        assert other.traits.openness - one.traits.openness == 2
        same = {"traits": one.traits}
        assert other.model_copy(update=same) == one
        assert all(getattr(one.traits, trait) == 0 for trait in TRAITS if trait != "openness")


def test_a_change_is_the_gap_that_the_high_pole_opens_beyond_the_low_one():
    more, less = [[2.0, 2.2, 4.0, 4.2]], [[2.0, 2.0, 3.0, 3.0]]
    assert changes(np.array(more + less)) == pytest.approx([1.0])
    assert np.isnan(changes(np.array([*more, [2.0, np.nan, 3.0, 3.0]]))).all()


def test_a_judge_that_does_the_opposite_is_found_out():
    right = flip_traits(Believer(), pairs=6, people=2, seconds=10)
    wrong = flip_traits(Believer(-1), pairs=6, people=2, seconds=10)
    verdicts = [{(f.feature, f.trait): f.verdict for f in each.flips} for each in (right, wrong)]
    for known in (("abstract_art", "openness"), ("grayscale", "neuroticism")):
        assert verdicts[0][known] is Verdict.AS_EXPECTED
        assert verdicts[1][known] is Verdict.CONTRARY
    assert verdicts[0]["people", "extraversion"] is Verdict.UNCLEAR
    assert verdicts[0]["positive_emotion", "conscientiousness"] is None
    assert not right.good
    assert right.hits < right.asked
    assert right.judgments == judgments_for(6, 2) == right.asked * 6 * 2 * 2 * 2


def test_pairs_that_were_not_judged_are_counted_out_and_said():
    some = flip_traits(Believer(failing=2), pairs=5, people=1, seconds=10).flips[0]
    assert some.pairs == 3
    assert some.reason == "2 pairs not judged: I would rather not"
    none = flip_traits(Believer(failing=10), pairs=5, people=1, seconds=10)
    assert (none.asked, none.hit_rate, none.low, none.good) == (0, None, None, False)
    assert {flip.change for flip in none.flips} == {None}


def test_one_pair_proves_nothing():
    one = flip_traits(Believer(), pairs=1, people=1, seconds=10)
    assert {flip.verdict for flip in one.flips} == {Verdict.UNCLEAR, None}
    FlipReport.model_validate_json(one.model_dump_json())


def test_from_the_shell(monkeypatch):
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    monkeypatch.setenv("COLUMNS", "180")
    asked = ["judges", "flips", "--pairs", "4", "--people", "1"]
    shown = CliRunner().invoke(app, asked)
    assert "findings as expected" in shown.stdout
    assert "not asked: the people of tinyworld's drawings have one face" in shown.stdout
    assert shown.exit_code == ExitCode.NEGATIVE, "pixels know nothing of art"
    as_json = CliRunner().invoke(app, [*asked, "--json"])
    report = FlipReport.model_validate_json(as_json.stdout)
    assert (report.tier, report.calls) == ("pixel", 0)
    assert CliRunner().invoke(app, [*asked, "--tier", "no"]).exit_code == ExitCode.WRONG_CALL
