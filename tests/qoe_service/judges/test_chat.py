"""A chat judge over real HTTP: its scores are the hidden rule, its failures never scores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.provider.budget import Budget
from qoe_service.schemas import Status
from tests.fake_provider import FakeProvider, Misbehaviour, Mix
from tests.qoe_service.judges.chatting import (
    IN_TIME_MS,
    PANEL,
    Judging,
    expected_score,
    expected_scores,
    make_case,
)

Build = Callable[..., Judging]

STATUS_OF = {
    Status.JUDGE_UNAVAILABLE: (
        Misbehaviour.BUSY,
        Misbehaviour.BUSY_RETRY_AFTER,
        Misbehaviour.BROKEN,
        Misbehaviour.UNAVAILABLE,
        Misbehaviour.BAD_REQUEST,
        Misbehaviour.UNAUTHORISED,
        Misbehaviour.CUT,
    ),
    Status.DEADLINE: (Misbehaviour.HANG, Misbehaviour.DRIP),
    Status.REFUSED: (Misbehaviour.REFUSAL, Misbehaviour.FILTERED),
    Status.UNREADABLE_ANSWER: (
        Misbehaviour.TRUNCATED,
        Misbehaviour.WRONG_SCHEMA,
        Misbehaviour.HUGE,
        Misbehaviour.EMPTY_CHOICES,
        Misbehaviour.WRONG_LENGTH,
        Misbehaviour.NO_LOGPROBS,
        Misbehaviour.LOW_MASS,
        Misbehaviour.PROSE,
        Misbehaviour.OUT_OF_RANGE,
    ),
}


def test_every_misbehaviour_is_tried_here() -> None:
    assert {kind for kinds in STATUS_OF.values() for kind in kinds} == set(Misbehaviour)


@pytest.mark.parametrize(
    ("status", "kind"), [(status, kind) for status, kinds in STATUS_OF.items() for kind in kinds]
)
def test_a_misbehaviour_has_its_status_and_no_number(
    judging: Build, status: Status, kind: Misbehaviour
) -> None:
    asked = judging().ready
    asked.provider.behave(mix=Mix({kind: 1.0}), retry_after_s=0.05, huge_bytes=5_000_000)
    deadline_ms = 700 if status is Status.DEADLINE else IN_TIME_MS
    opinions = asked.opinions(make_case(1), deadline_ms=deadline_ms)
    assert opinions.failures[0].status is status, opinions.failures[0].reason
    assert np.isnan(opinions.scores).all()
    assert np.isnan(opinions.errors).all()
    asked.provider.behave(mix=Mix())
    cured = asked.opinions(make_case(1))
    assert cured.scores == pytest.approx(expected_scores(make_case(1)), abs=0.03)
    assert not cured.cached.any()


def test_scores_follow_the_rule_in_every_cell(judging: Build) -> None:
    cases = [make_case(seed) for seed in range(6)]
    opinions = judging().opinions(*cases)
    assert opinions.failures == {}
    assert opinions.scores == pytest.approx(expected_scores(*cases), abs=0.03)
    assert np.ptp(opinions.scores) > 0.5
    assert ((opinions.errors > 0) & (opinions.errors < 1)).all()


def test_a_turned_persona_moves_the_score_as_the_rule_says(judging: Build) -> None:
    case, somebody = make_case(3), PANEL[0]
    turned = somebody.model_copy(
        update={
            "traits": somebody.traits.model_copy(update={"extraversion": 2.0, "neuroticism": -2.0}),
        }
    )
    against = somebody.model_copy(
        update={
            "traits": somebody.traits.model_copy(update={"extraversion": -2.0, "neuroticism": 2.0}),
        }
    )
    panel = (turned, against)
    opinions = judging().opinions(case, panel=panel)
    expected = [expected_score(case, person) for person in panel]
    assert opinions.scores[0] == pytest.approx(expected, abs=0.03)
    assert abs(expected[0] - expected[1]) > 0.3


def test_a_wait_lowers_the_score_as_the_rule_says(judging: Build) -> None:
    cases = [make_case(2, delay_s=delay_s) for delay_s in (0.0, 2.5, 20.0)]
    scores = judging().opinions(*cases).scores
    assert scores == pytest.approx(expected_scores(*cases), abs=0.03)
    assert (np.diff(scores, axis=0) < -0.05).all()


def test_what_was_answered_is_not_asked_again(judging: Build, tmp_path: Path) -> None:
    cases = [make_case(seed) for seed in range(3)]
    first = judging(cache=VectorCache(tmp_path)).ready
    fresh = first.opinions(*cases)
    again = first.opinions(*cases)
    assert first.provider.traffic.requests == fresh.forwards == len(cases) * len(PANEL)
    assert (again.forwards, again.tokens) == (0, 0)
    assert not fresh.cached.any()
    assert again.cached.all()
    first.judge.close()
    second = judging(cache=VectorCache(tmp_path)).ready
    later = second.opinions(*cases)
    assert second.provider.traffic.requests == 0
    for known in (again, later):
        assert known.scores.tobytes() == fresh.scores.tobytes()
        assert known.errors.tobytes() == fresh.errors.tobytes()


def test_calls_and_tokens_are_counted(judging: Build) -> None:
    asked = judging().ready
    asked.provider.script(Misbehaviour.BROKEN)
    opinions = asked.opinions(make_case(1), make_case(2))
    assert opinions.forwards == asked.provider.traffic.requests == 2 * len(PANEL) + 1
    assert opinions.tokens > 100 * 2 * len(PANEL)


def test_a_group_with_duplicates_costs_one_call_a_distinct_question(judging: Build) -> None:
    asked = judging().ready
    wish = "a cat on a sofa"
    group = [make_case(seed % 12, wish, group_id="g") for seed in range(16)]
    opinions = asked.opinions(*group)
    assert asked.provider.traffic.requests == 12 * len(PANEL)
    assert opinions.scores == pytest.approx(expected_scores(*group), abs=0.03)
    assert opinions.scores[:4].tobytes() == opinions.scores[12:].tobytes()


def test_equal_questions_in_flight_are_asked_once(judging: Build) -> None:
    asked = judging().ready
    asked.provider.behave(service_time_s=0.2)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(asked.opinions(make_case(5))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked.provider.traffic.requests == len(PANEL)
    assert len({opinions.scores.tobytes() for opinions in found}) == 1
    assert sum(opinions.forwards for opinions in found) == len(PANEL)


def test_a_panel_is_whole_or_not_at_all_and_what_was_paid_is_kept(judging: Build) -> None:
    asked = judging(concurrency=1).ready
    asked.provider.script(None, Misbehaviour.BAD_REQUEST)
    case = make_case(4)
    opinions = asked.opinions(case)
    assert opinions.failures[0].status is Status.JUDGE_UNAVAILABLE
    assert f"1 of 3 opinions are missing; {PANEL[1].id}:" in opinions.failures[0].reason
    assert np.isnan(opinions.scores).all()
    asked.provider.forget_traffic()
    assert asked.opinions(case).scores == pytest.approx(expected_scores(case), abs=0.03)
    assert asked.provider.traffic.requests == 1


def test_one_refusal_costs_no_panel(judging: Build) -> None:
    asked = judging(concurrency=1).ready
    asked.provider.script(Misbehaviour.REFUSAL, Misbehaviour.FILTERED)
    case = make_case(4)
    opinions = asked.opinions(case)
    assert opinions.scores == pytest.approx(expected_scores(case), abs=0.03)
    assert asked.provider.traffic.requests == len(PANEL) + 2


def test_the_gravest_failure_is_the_status(judging: Build) -> None:
    asked = judging().ready
    asked.provider.behave(mix=Mix({Misbehaviour.REFUSAL: 1.0}))
    asked.provider.script(Misbehaviour.BAD_REQUEST)
    failure = asked.opinions(make_case(4)).failures[0]
    assert failure.status is Status.JUDGE_UNAVAILABLE
    assert "3 of 3" in failure.reason


def test_one_bad_case_fails_alone(judging: Build) -> None:
    asked = judging(concurrency=1).ready
    asked.provider.script(Misbehaviour.UNAUTHORISED)
    cases = [make_case(seed) for seed in range(3)]
    opinions = asked.opinions(*cases)
    assert set(opinions.failures) == {0}
    assert opinions.scores[1:] == pytest.approx(expected_scores(*cases[1:]), abs=0.03)


def test_a_poisoned_picture_fails_alone(judging: Build) -> None:
    poisoned = Case(Picture(np.zeros((64, 64, 3), dtype=np.int64)), "a dog")
    cases = [make_case(1), poisoned, make_case(2)]
    opinions = judging().ready.opinions(*cases)
    assert opinions.failures[1].status is Status.JUDGE_UNAVAILABLE
    assert set(opinions.failures) == {1}
    assert opinions.scores[::2] == pytest.approx(expected_scores(*cases[::2]), abs=0.03)


def test_the_ladder_answers_while_the_provider_is_gone_and_it_comes_back(judging: Build) -> None:
    asked = judging(failures=4)
    ladder = Ladder([asked.judge, PixelJudge()])

    def tier_for(seed: int) -> str:
        deadline = Deadline.after_ms(IN_TIME_MS)
        verdicts = ladder.verdicts([make_case(seed)], PANEL, tier=None, deadline=deadline)
        assert verdicts.opinions.failures == {}
        assert not deadline.passed
        return verdicts.judges[0].tier

    assert tier_for(100) == "vlm"
    asked.provider.stop()
    assert [tier_for(seed) for seed in (101, 102)] == ["pixel", "pixel"]
    assert tier_for(100) == "vlm"  # known without asking
    asked.provider.start()
    wait_until(lambda: tier_for(103) == "vlm")
    assert tier_for(101) == "vlm"


def test_a_provider_that_is_away_at_the_start_is_found_later(judging: Build) -> None:
    asked = judging()
    asked.provider.stop()
    with pytest.raises(JudgeUnavailable, match="it is not known how the model must be asked"):
        asked.judge.check()
    assert asked.opinions(make_case(1)).failures[0].status is Status.JUDGE_UNAVAILABLE
    assert asked.judge.extraction == "unknown"
    asked.provider.start()
    wait_until(lambda: not asked.opinions(make_case(1)).failures)
    assert asked.judge.extraction == "logprobs"


def wait_until(reached: Callable[[], bool], most_s: float = 15.0) -> None:
    until_s = time.monotonic() + most_s
    while not reached():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_run_stops_at_its_budget_and_does_not_fall_to_another_tier(judging: Build) -> None:
    asked = judging(budget=Budget(limit_tokens=2_400), concurrency=1).ready
    ladder = Ladder([asked.judge, PixelJudge()])
    cases = [make_case(seed, run_id="first") for seed in range(3)]
    verdicts = ladder.verdicts(cases, PANEL, tier=None, deadline=Deadline.after_ms(IN_TIME_MS))
    statuses = {failure.status for failure in verdicts.opinions.failures.values()}
    assert statuses == {Status.OVER_BUDGET}
    assert 0 < asked.provider.traffic.requests < len(cases) * len(PANEL)
    one = make_case(0, "another wish", run_id="second")
    assert asked.opinions(one, panel=PANEL[:1]).failures == {}


def test_a_closed_judge_says_so(judging: Build) -> None:
    asked = judging().ready
    asked.judge.close()
    failure = asked.opinions(make_case(1)).failures[0]
    assert failure.status is Status.JUDGE_UNAVAILABLE
    assert "closed" in failure.reason


def test_a_health_check_costs_no_call_while_answers_come(
    judging: Build, provider: FakeProvider
) -> None:
    asked = judging().ready
    asked.opinions(make_case(1))
    before = provider.traffic.requests
    asked.judge.check()
    assert provider.traffic.requests == before


def test_the_address_and_the_template_are_told(judging: Build) -> None:
    judge = judging().judge
    assert (judge.tier, judge.name) == ("vlm", "fake-vlm")
    assert judge.revision.startswith("http://127.0.0.1:")
    assert judge.prompt.startswith("judge-image@")


def test_what_was_answered_is_known_after_a_restart_while_the_model_is_away(
    judging: Build, tmp_path: Path
) -> None:
    known, unknown = make_case(1), make_case(2)
    first = judging(cache=VectorCache(tmp_path))
    answered = first.opinions(known)
    first.judge.close()
    first.provider.stop()
    second = judging(cache=VectorCache(tmp_path))
    assert second.judge.extraction == "logprobs"
    later = second.opinions(known, unknown)
    assert later.scores[0].tobytes() == answered.scores[0].tobytes()
    assert later.cached.tolist() == [True, False]
    assert later.failures[1].status is Status.JUDGE_UNAVAILABLE
    assert "it is not known how the model must be asked" in later.failures[1].reason


def test_a_known_panel_is_not_kept_waiting_by_a_model_that_hangs(
    judging: Build, tmp_path: Path
) -> None:
    first = judging(cache=VectorCache(tmp_path))
    first.opinions(make_case(1))
    first.judge.close()
    first.provider.behave(mix=Mix({Misbehaviour.HANG: 1.0}))
    first.provider.forget_traffic()
    assert judging(cache=VectorCache(tmp_path)).opinions(make_case(1)).cached.all()
    assert first.provider.traffic.requests == 0


def test_a_remembered_manner_that_is_out_of_date_is_corrected(
    judging: Build, tmp_path: Path
) -> None:
    first = judging(cache=VectorCache(tmp_path))
    first.opinions(make_case(1))
    first.judge.close()
    first.provider.behave(mix=Mix({Misbehaviour.NO_LOGPROBS: 1.0}))
    second = judging(cache=VectorCache(tmp_path))
    assert second.opinions(make_case(2)).failures == {}
    assert second.judge.extraction == "structured"
    second.judge.close()
    assert judging(cache=VectorCache(tmp_path)).judge.extraction == "structured"
