"""Whoever plays its personas holds, whoever does not fails, and few people say nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from qoe_service.interview.instruments import load_instrument
from qoe_service.interview.report import to_be_stored
from qoe_service.interview.verdict import Verdict
from qoe_service.personas import Registry
from qoe_service.schemas import TRAITS
from tests.fake_provider import Mood
from tests.qoe_service.interview.interviewees import (
    answers_in,
    drawn_people,
    interviewed_in,
    made_person,
    reported,
)

MINI, FIFTY = load_instrument("mini-ipip"), load_instrument("ipip-50")
EITHER = pytest.mark.parametrize("instrument", [MINI, FIFTY], ids=lambda one: one.id)
DAY = date(2026, 1, 2)
SHIPPED, DRAWN = Registry().all(), drawn_people(24, seed=11)
BOTH = pytest.mark.parametrize("people", [SHIPPED, DRAWN], ids=["shipped", "drawn"])


def answers_by_hand(people, instrument, *, slope: float, noise: float, seed: int = 0):
    """Statements that follow z-scores so steeply, and chance."""
    rng = np.random.default_rng(seed)
    z = np.array([one.traits.vector() for one in people])
    truth = 3 + slope * z[:, instrument.traits] * instrument.keys
    return (truth + noise * rng.standard_normal((2, *truth.shape))).clip(1, 5)


def largest_gaps(people) -> np.ndarray:
    """What a perfect judge reaches, since the traits of these people are correlated."""
    table = np.abs(np.corrcoef(np.array([one.traits.vector() for one in people]).T))
    return 1 - (table.sum(axis=1) - 1) / 4


@EITHER
@BOTH
def test_a_judge_that_follows_the_traits_holds(instrument, people) -> None:
    found = interviewed_in(Mood.HONEST, people, instrument)
    assert found.verdict is Verdict.HOLDS, found
    assert min(trait.figures.convergent.point for trait in found.traits) >= 0.9
    assert found.panel.gap.point >= 0.5
    for trait, most in zip(found.traits, largest_gaps(people), strict=True):
        assert trait.figures.gap.point == pytest.approx(most, abs=0.15)
    for trait in found.traits:
        assert trait.finding.reasons == ()
        assert trait.figures.alpha.point > 0.9
        assert 0.9 < trait.figures.retest.point < 1
    assert found.panel.identical == 0
    assert abs(found.panel.pleasing - found.panel.pleasing_told) < 0.1
    assert found.panel.dimensions == pytest.approx(found.panel.dimensions_told, abs=0.4)


@EITHER
@BOTH
def test_a_judge_that_ignores_its_persona_fails(instrument, people) -> None:
    found = interviewed_in(Mood.IGNORES_PERSONA, people, instrument)
    assert found.verdict is Verdict.FAILS
    assert {trait.finding.verdict for trait in found.traits} == {Verdict.FAILS}
    assert found.traits[0].finding.reasons == ("all personas answer alike, whatever they are told",)
    assert found.panel.identical == 1
    assert all(figure.figures.convergent is None for figure in found.traits)
    assert {t for profile in found.profiles for t in profile.t_scores} == {None}


@EITHER
@BOTH
def test_a_judge_that_wants_to_look_good_fails(instrument, people) -> None:
    found = interviewed_in(Mood.DESIRABILITY, people, instrument)
    assert found.verdict is Verdict.FAILS
    assert found.panel.gap.point < 0.1
    assert found.panel.pleasing > 0.95
    assert found.panel.dimensions < 1.1
    assert any("is looking good" in reason for reason in found.finding.reasons)


def test_a_judge_that_answers_by_chance_fails() -> None:
    people = drawn_people(60, seed=2)
    found = reported(answers_by_hand(people, MINI, slope=0, noise=1), people, MINI)
    assert {trait.finding.verdict for trait in found.traits} == {Verdict.FAILS}
    assert any("r with what it is told" in r for r in found.traits[0].finding.reasons)
    assert any("retest r" in r for r in found.traits[0].finding.reasons)


def test_a_judge_that_says_yes_to_everything_fails() -> None:
    people = drawn_people(40, seed=3)
    person = np.random.default_rng(4).standard_normal((40, 1))
    answers = (answers_by_hand(people, MINI, slope=0.3, noise=0.1) + 0.8 * person).clip(1, 5)
    found = reported(answers, people, MINI)
    assert found.verdict is Verdict.FAILS
    assert any("saying yes to everything" in reason for reason in found.finding.reasons)


def test_a_judge_that_mumbles_fails_for_its_narrow_spread_alone() -> None:
    people = drawn_people(40, seed=5)
    found = reported(answers_by_hand(people, FIFTY, slope=0.1, noise=0.02), people, FIFTY)
    assert found.verdict is Verdict.FAILS
    for trait in found.traits:
        (reason,) = trait.finding.reasons
        assert "times as far as people, not 0.5" in reason
        assert trait.figures.convergent.point > 0.9


def test_exchanged_keys_are_found_out() -> None:
    answers = answers_in(Mood.HONEST, DRAWN, FIFTY)
    stability = FIFTY.traits == TRAITS.index("neuroticism")
    answers[:, :, stability] = 6 - answers[:, :, stability]
    found = reported(answers, DRAWN, FIFTY)
    assert found.verdict is Verdict.FAILS
    assert found.traits[4].figures.convergent.point < -0.9
    assert [trait.finding.verdict for trait in found.traits[:4]] == [Verdict.HOLDS] * 4


def test_seven_people_are_too_few_to_say() -> None:
    found = interviewed_in(Mood.HONEST, DRAWN[:7], MINI)
    assert found.verdict is Verdict.TOO_FEW
    assert found.finding.reasons == ("7 personas were interviewed; 8 are needed",)
    for trait in found.traits:
        figures = trait.figures
        nothing = (figures.convergent, figures.discriminant, figures.gap, figures.alpha)
        assert (*nothing, figures.retest, figures.range_used, figures.spread_ratio) == (None,) * 7
    assert None not in found.profiles[0].scores
    assert set(found.profiles[0].t_scores) == {None}
    assert to_be_stored(found, DAY) is None


def test_between_holding_and_failing_there_are_too_few_to_say() -> None:
    people = drawn_people(10, seed=8)
    found = reported(answers_by_hand(people, MINI, slope=0.5, noise=1.3, seed=3), people, MINI)
    open_traits = [t for t in found.traits if t.finding.verdict is Verdict.TOO_FEW]
    assert open_traits
    for trait in open_traits:
        assert trait.figures.convergent.high >= 0.7 or trait.figures.convergent.point >= 0.7


def test_people_of_one_mould_say_nothing_of_that_trait() -> None:
    people = [
        made_person(one.id, (*one.traits.vector()[:4], 0.5)) for one in drawn_people(20, seed=6)
    ]
    found = interviewed_in(Mood.HONEST, people, MINI)
    assert found.traits[4].finding.reasons == ("the personas do not differ in it",)
    assert found.verdict is Verdict.TOO_FEW


def test_many_missing_answers_are_no_verdict_either_way() -> None:
    answers = answers_in(Mood.IGNORES_PERSONA, DRAWN, MINI)
    found = reported(answers, DRAWN, MINI, answered=0.8)
    assert found.verdict is Verdict.TOO_FEW
    assert found.finding.reasons == ("only 80% of the answers came",)


def test_what_is_stored_tells_why() -> None:
    stored = to_be_stored(interviewed_in(Mood.DESIRABILITY, DRAWN, MINI), DAY)
    assert (stored.verdict, stored.personas, stored.instrument) == ("fails", 24, "mini-ipip")
    assert any(reason.startswith("openness: ") for reason in stored.reasons)
    assert to_be_stored(interviewed_in(Mood.HONEST, DRAWN, MINI), DAY).reasons == ()
