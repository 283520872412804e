"""Which judge answers, and what a group has to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from qoe_service.errors import JudgeUnavailable, Overloaded, UnknownTier
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure, Opinions, UnavailableJudge
from qoe_service.judges.ladder import FALLS, Ladder, Verdicts
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import Status

FALLEN = sorted(FALLS - {Status.DEADLINE})
PANEL = Registry().all()[:2]
PICTURE = Picture(np.zeros((16, 16, 3), dtype=np.uint8))


@dataclass
class Scripted:
    """Gives every case one score, except those whose prompt it has a failure for."""

    tier: str
    score: float
    failures: dict[str, Status] = field(default_factory=dict)
    name: str = "scripted"
    revision: str = "1"
    extraction: str = "script"
    calibration: str | None = None
    interview: str | None = None
    asked: list[str] = field(default_factory=list)
    until: list[Deadline] = field(default_factory=list)

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        self.asked += [case.prompt for case in cases]
        self.until.append(deadline)
        failed = {
            row: Failure(self.failures[case.prompt], f"{self.tier} cannot")
            for row, case in enumerate(cases)
            if case.prompt in self.failures
        }
        scores = np.full((len(cases), len(panel)), self.score)
        scores[list(failed)] = np.nan
        return Opinions(scores, scores * 0, failed, np.zeros(len(cases), dtype=bool), len(cases))

    def check(self) -> None: ...

    def close(self) -> None: ...


def judged(judges: Sequence[object], cases: Sequence[Case], tier: str | None = None) -> Verdicts:
    return Ladder(judges).verdicts(cases, PANEL, tier=tier, deadline=Deadline())


def tiers_of(verdicts: Verdicts) -> list[str]:
    return [judge.tier for judge in verdicts.judges]


def case(prompt: str, group: str | None = None) -> Case:
    return Case(PICTURE, prompt, group)


def test_the_best_judge_answers_and_the_others_are_not_asked() -> None:
    low = Scripted("low", 2.0)
    verdicts = judged([Scripted("high", 4.0), low], [case("a"), case("b")])
    assert tiers_of(verdicts) == ["high", "high"]
    assert verdicts.opinions.scores.tolist() == [[4.0, 4.0]] * 2
    assert low.asked == []


@pytest.mark.parametrize("status", FALLEN)
def test_a_case_falls_alone_and_the_reason_is_told(status: Status) -> None:
    verdicts = judged(
        [Scripted("high", 4.0, {"b": status}), Scripted("low", 2.0)], [case("a"), case("b")]
    )
    assert tiers_of(verdicts) == ["high", "low"]
    assert verdicts.opinions.scores[:, 0].tolist() == [4.0, 2.0]
    assert verdicts.opinions.failures == {}
    assert verdicts.reasons == (None, "high cannot")


def test_a_late_case_falls_while_there_is_time_and_not_after() -> None:
    low = Scripted("low", 2.0)
    judges = [Scripted("high", 4.0, {"a": Status.DEADLINE}), low]
    assert judged(judges, [case("a")]).opinions.scores.tolist() == [[2.0, 2.0]]
    late = Ladder(judges).verdicts([case("a")], PANEL, tier=None, deadline=Deadline(at_s=0.0))
    assert late.opinions.failures[0].status is Status.DEADLINE
    assert np.isnan(late.opinions.scores).all()
    assert low.asked == ["a"]


def test_a_judge_leaves_time_to_those_below_it() -> None:
    high, low = Scripted("high", 4.0, {"a": Status.JUDGE_UNAVAILABLE}), Scripted("low", 2.0)
    deadline = Deadline.after_ms(1_000)
    Ladder([high, low]).verdicts([case("a")], PANEL, tier=None, deadline=deadline)
    assert high.until[0].at_s == pytest.approx(deadline.at_s - 0.2, abs=0.02)
    assert low.until == [deadline]


@dataclass
class Crowded(Scripted):
    """Has a queue that is too long for some."""

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        found = super().opinions(cases, panel, deadline)
        late = {row: replace(why, retry_after_s=7.0) for row, why in found.failures.items()}
        return replace(found, failures=late)


def test_who_cannot_be_answered_at_all_for_the_crowd_is_refused() -> None:
    busy = {"a": Status.JUDGE_UNAVAILABLE, "b": Status.JUDGE_UNAVAILABLE}
    crowded, also = Crowded("high", 4.0, busy), Crowded("middle", 3.0, busy)
    with pytest.raises(Overloaded, match="middle cannot") as told:
        judged([crowded, also], [case("a"), case("b")])
    assert told.value.retry_after_s == 7.0
    with pytest.raises(Overloaded):
        judged([crowded, Scripted("low", 2.0)], [case("a")], tier="high")


def test_the_crowd_is_no_reason_where_something_is_answered() -> None:
    crowded = Crowded("high", 4.0, {"a": Status.JUDGE_UNAVAILABLE})
    partly = judged([crowded], [case("a"), case("b")])
    assert list(partly.opinions.failures) == [0]
    assert tiers_of(judged([crowded, Scripted("low", 2.0)], [case("a")])) == ["low"]
    refused = {"b": Status.REFUSED}
    mixed = judged([crowded, Scripted("low", 2.0, refused)], [case("a"), case("b")])
    assert mixed.opinions.failures == {}


def test_a_spent_budget_is_not_made_good_by_a_lower_tier() -> None:
    low = Scripted("low", 2.0)
    verdicts = judged([Scripted("high", 4.0, {"a": Status.OVER_BUDGET}), low], [case("a")])
    assert verdicts.opinions.failures[0].status is Status.OVER_BUDGET
    assert low.asked == []


def test_a_group_is_judged_by_the_lowest_tier_any_member_fell_to() -> None:
    cases = [case("a", "g"), case("b", "g"), case("c", "h"), case("d")]
    verdicts = judged(
        [
            Scripted("high", 5.0, {"b": Status.OUT_OF_DOMAIN}),
            Scripted("middle", 4.0, {"a": Status.JUDGE_UNAVAILABLE}),
            Scripted("low", 2.0),
        ],
        cases,
    )
    assert tiers_of(verdicts) == ["low", "low", "high", "high"]
    assert verdicts.opinions.scores[:, 0].tolist() == [2.0, 2.0, 5.0, 5.0]


def test_at_the_bottom_a_member_is_null_alone() -> None:
    cases = [case("a", "g"), case("b", "g")]
    verdicts = judged([Scripted("only", 3.0, {"b": Status.JUDGE_UNAVAILABLE})], cases)
    assert verdicts.opinions.scores[0].tolist() == [3.0, 3.0]
    assert list(verdicts.opinions.failures) == [1]


def test_a_forced_tier_does_not_fall() -> None:
    judges = [Scripted("high", 4.0, {"a": Status.OUT_OF_DOMAIN}), Scripted("low", 2.0)]
    verdicts = judged(judges, [case("a")], tier="high")
    assert verdicts.opinions.failures[0].status is Status.OUT_OF_DOMAIN
    assert tiers_of(judged(judges, [case("a")], tier="low")) == ["low"]
    with pytest.raises(UnknownTier, match="it has: high, low"):
        judged(judges, [case("a")], tier="vlm")


def test_a_judge_that_could_not_be_set_up_says_why_and_lets_through() -> None:
    broken = UnavailableJudge("clip", "clip", "no weights")
    ladder = Ladder([broken, Scripted("pixel", 3.0)])
    verdicts = ladder.verdicts([case("a")], PANEL, tier=None, deadline=Deadline())
    assert tiers_of(verdicts) == ["pixel"]
    assert verdicts.reasons == ("no weights",)
    assert [(info.ready, info.reason) for info in ladder.infos()] == [
        (False, "no weights"),
        (True, None),
    ]
    with pytest.raises(JudgeUnavailable):
        broken.check()


def test_nothing_to_judge_is_no_trouble() -> None:
    verdicts = judged([Scripted("only", 3.0)], [])
    assert verdicts.opinions.scores.shape == (0, 2)
