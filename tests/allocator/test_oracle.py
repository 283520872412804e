import numpy as np
import pytest

from allocator.judge_budget.judge_calls import JudgeCalls, JudgeCallsSpentError
from allocator.oracle import ATTEMPTS, LARGEST_REQUEST, MOST_UNANSWERED, HttpOracle, Oracle
from qoe_service.client import ProblemReply, ServiceUnreachable
from qoe_service.errors import Overloaded
from qoe_service.personas import Persona
from qoe_service.schemas import RewardsReply, Status, Traits, Usage


def persona(name, openness=0.0):
    traits = Traits(
        openness=openness, conscientiousness=0, extraversion=0, agreeableness=0, neuroticism=0
    )
    return Persona(id=name, name=name, traits=traits, norm="sapa-bfi25-adults", about="A judge.")


class FailingJudge:
    """Judges by brightness; fails on the prompts it is told to, and is away when told to."""

    def __init__(self):
        self.bad_prompts = set()
        self.absences = []
        self.sizes = []
        self.asked = []

    def personas(self):
        return (persona("amelia", 1.0), persona("bo", -1.0))

    def rewards(self, pictures, prompts, *, personas=None):
        if self.absences:
            raise self.absences.pop()
        self.sizes.append(len(prompts))
        self.asked.append(tuple(personas))
        rows = [
            tuple(None if prompt in self.bad_prompts else float(p.mean()) / 255 for _ in personas)
            for p, prompt in zip(pictures, prompts, strict=True)
        ]
        ok = [row[0] is not None for row in rows]
        return RewardsReply(
            personas=tuple(personas),
            rewards=tuple(row[0] for row in rows),
            by_persona=tuple(rows),
            statuses=tuple(Status.OK if fine else Status.JUDGE_UNAVAILABLE for fine in ok),
            usage=Usage(judgments=sum(ok) * len(personas), cached=1),
        )


@pytest.fixture
def judge():
    return FailingJudge()


def pictures(count):
    levels = np.arange(count, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, 4, 4, 3)).copy()


def test_opinions_come_in_order_a_column_a_persona(judge):
    opinions = HttpOracle(judge).opinions(pictures(3), ["a", "b", "c"])
    assert opinions.personas == ("amelia", "bo")
    assert np.allclose(opinions.rewards, np.arange(3)[:, None] / 255)


def test_a_failed_judgment_is_nan_and_never_a_number(judge):
    judge.bad_prompts = {"b"}
    oracle = HttpOracle(judge)
    rewards = oracle.opinions(pictures(3), ["a", "b", "c"]).rewards
    assert np.isnan(rewards).tolist() == [[False] * 2, [True] * 2, [False] * 2]
    assert (oracle.counts.judgments, oracle.counts.failed, oracle.counts.masked) == (4, 2, 2)
    assert (oracle.counts.requests, oracle.counts.cached) == (1, 1)


def test_large_questions_are_asked_in_parts(judge):
    count = LARGEST_REQUEST + 3
    rewards = HttpOracle(judge).opinions(pictures(count), ["a"] * count).rewards
    assert judge.sizes == [LARGEST_REQUEST, 3]
    assert np.allclose(rewards[:, 1], np.arange(count) / 255)


def test_a_service_that_is_briefly_away_is_asked_again(judge):
    judge.absences = [ServiceUnreachable("away")] * (ATTEMPTS - 1)
    pauses = []
    oracle = Oracle(judge, sleep=pauses.append)
    assert not np.isnan(oracle.opinions(pictures(1), ["a"]).rewards).any()
    assert len(pauses) == ATTEMPTS - 1
    assert pauses == sorted(pauses)
    assert oracle.counts.requests == ATTEMPTS


def test_a_service_that_stays_away_masks_and_then_ends_the_run(judge):
    judge.absences = [ServiceUnreachable("away")] * (ATTEMPTS * MOST_UNANSWERED)
    oracle = Oracle(judge, sleep=lambda seconds: None)
    for _ in range(MOST_UNANSWERED - 1):
        assert np.isnan(oracle.opinions(pictures(2), ["a", "b"]).rewards).all()
    assert oracle.counts.masked == oracle.counts.failed == 4 * (MOST_UNANSWERED - 1)
    with pytest.raises(ServiceUnreachable, match="away"):
        oracle.opinions(pictures(2), ["a", "b"])


def test_an_overloaded_service_is_asked_again_and_a_wrong_request_is_not(judge):
    judge.absences = [ProblemReply(503, "Busy", "later")]
    oracle = Oracle(judge, sleep=lambda seconds: None)
    assert not np.isnan(oracle.opinions(pictures(1), ["a"]).rewards).any()
    judge.absences = [Overloaded("too much waits", retry_after_s=9.0)]
    pauses: list[float] = []
    patient = Oracle(judge, sleep=pauses.append)
    assert not np.isnan(patient.opinions(pictures(1), ["a"]).rewards).any()
    assert pauses == [9.0]
    judge.absences = [ProblemReply(413, "Too large", "send less")]
    with pytest.raises(ProblemReply, match="send less"):
        oracle.opinions(pictures(1), ["a"])


def test_a_panel_is_asked_alone_and_an_unknown_persona_is_refused(judge):
    assert HttpOracle(judge, ["bo"]).opinions(pictures(1), ["a"]).personas == ("bo",)
    with pytest.raises(ValueError, match=r"no personas \['zoe'\]"):
        HttpOracle(judge, ["zoe"])


def test_pictures_and_prompts_must_match(judge):
    with pytest.raises(ValueError, match="2 pictures came with 1 prompts"):
        HttpOracle(judge).opinions(pictures(2), ["a"])


def test_judgments_are_of_one_persona_each_and_asked_of_nobody_else(judge):
    who = np.array([1, 0, 1])
    rewards = HttpOracle(judge).judgments(pictures(3), ["a", "b", "c"], who)
    assert np.allclose(rewards, np.arange(3) / 255)
    assert judge.sizes == [1, 2]
    assert judge.asked == [("amelia",), ("bo",)]


def test_everything_sent_is_taken_off_the_budget_whatever_becomes_of_it(judge):
    judge.bad_prompts = {"b"}
    oracle = Oracle(judge, calls=JudgeCalls(5))
    assert np.isnan(oracle.judgments(pictures(2), ["a", "b"], np.array([0, 1]))).sum() == 1
    assert oracle.calls.spent == 2
    with pytest.raises(JudgeCallsSpentError, match="4 judge calls were wanted and 3 of 5 are left"):
        oracle.opinions(pictures(2), ["a", "b"])
    assert (oracle.calls.spent, len(judge.sizes)) == (2, 2)


def test_a_repeated_attempt_costs_again_and_is_left_alone_where_it_cannot_be_paid(judge):
    judge.absences = [ServiceUnreachable("away")] * ATTEMPTS
    oracle = Oracle(judge, sleep=lambda seconds: None, calls=JudgeCalls(5))
    assert np.isnan(oracle.opinions(pictures(1), ["a"]).rewards).all()
    assert oracle.calls.spent == 4  # two attempts of two judgments; a third would be six
    assert oracle.counts.requests == 2
