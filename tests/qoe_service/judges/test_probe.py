"""Finding out how a model must be asked: by its answers alone, then over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from qoe_service.judges import Deadline
from qoe_service.judges.extraction import ROUNDING_SPREAD
from qoe_service.judges.probe import CHANCES, Manner, Probe, manners
from qoe_service.provider import CallFailed, FailureKind
from tests.fake_provider import Misbehaviour, Mix
from tests.fake_provider.bell import level_probabilities
from tests.qoe_service.judges.chatting import PANEL, Judging, expected_scores, make_case

Build = Callable[..., Judging]
WORDS_MANNER, DIGITS_MANNER, STRUCTURED, OWN_DECODING = manners()

UNREADABLE_UNTIL_GIVEN_UP = [Misbehaviour.LOW_MASS] * (CHANCES * 3)
"""The retry loop asks three times for an answer that can be read."""


@dataclass
class Scripted:
    """A model that fails in these ways, then answers."""

    kinds: list[FailureKind]
    tried: list[Manner] = field(default_factory=list)

    async def judge(self, manner: Manner, deadline: Deadline) -> None:
        assert deadline.at_s < float("inf")
        self.tried.append(manner)
        await asyncio.sleep(0)
        if self.kinds:
            kind = self.kinds.pop(0)
            raise CallFailed(kind, f"it is {kind.value}")


@dataclass
class Clock:
    now_s: float = 0.0

    def now(self) -> float:
        return self.now_s


def found_after(*kinds: FailureKind) -> Manner:
    model = Scripted(list(kinds))
    return asyncio.run(Probe(model.judge, manners()).manner(Deadline()))


@pytest.mark.parametrize("kind", [FailureKind.UNREADABLE, FailureKind.REJECTED])
def test_the_first_manner_that_works_is_taken(kind: FailureKind) -> None:
    assert found_after() == WORDS_MANNER
    assert found_after(*[kind] * CHANCES) == DIGITS_MANNER
    assert found_after(*[kind] * (2 * CHANCES)) == STRUCTURED
    assert found_after(*[kind] * (3 * CHANCES)) == OWN_DECODING


def test_one_mishap_does_not_decide() -> None:
    assert found_after(FailureKind.UNREADABLE) == WORDS_MANNER
    assert found_after(FailureKind.REFUSED) == WORDS_MANNER


def test_a_model_that_can_be_asked_in_no_way_says_why() -> None:
    with pytest.raises(CallFailed, match=r"in no way .*digits: it is rejected") as failed:
        found_after(*[FailureKind.REJECTED] * 99)
    assert failed.value.kind is FailureKind.REJECTED


def test_a_model_that_is_away_is_left_alone_for_a_while() -> None:
    model, clock = Scripted([FailureKind.BROKEN] * 2), Clock()
    probe = Probe(model.judge, manners(), rest_s=2.0, now=clock.now)

    async def ask() -> Manner:
        return await probe.manner(Deadline(clock.now_s + 10))

    async def scenario() -> None:
        for after_s, calls in ((0.0, 1), (1.9, 1), (2.1, 2)):
            clock.now_s = after_s
            with pytest.raises(CallFailed, match="it is broken") as failed:
                await ask()
            assert failed.value.kind is FailureKind.BROKEN
            assert len(model.tried) == calls
        clock.now_s = 5.0
        assert await ask() == WORDS_MANNER
        assert await ask() == WORDS_MANNER
        assert len(model.tried) == 3

    asyncio.run(scenario())


def test_callers_share_a_search_that_outlives_the_impatient() -> None:
    release, tried = asyncio.Event(), []

    async def slowly(manner: Manner, deadline: Deadline) -> None:
        del deadline
        tried.append(manner)
        await release.wait()

    async def scenario() -> None:
        probe = Probe(slowly, manners(), now=lambda: 0.0)
        patient = [asyncio.create_task(probe.manner(Deadline())) for _ in range(3)]
        with pytest.raises(CallFailed, match="no time to find out") as failed:
            await probe.manner(Deadline(0.01))
        assert failed.value.kind is FailureKind.SLOW
        release.set()
        assert await asyncio.gather(*patient) == [WORDS_MANNER] * 3
        assert tried == [WORDS_MANNER]

    asyncio.run(scenario())


def test_a_broken_probe_is_a_failure_and_not_a_hang() -> None:
    async def breaks(manner: Manner, deadline: Deadline) -> None:
        raise ZeroDivisionError

    with pytest.raises(CallFailed, match="ZeroDivisionError"):
        asyncio.run(Probe(breaks, manners()).manner(Deadline()))


def test_words_where_their_probabilities_are_given(judging: Build) -> None:
    asked = judging().ready
    assert asked.judge.extraction == "logprobs"
    asked.opinions(make_case(1))
    assert asked.provider.readings[-1].levels == ("Bad", "Poor", "Fair", "Good", "Excellent")


def test_cut_words_are_told_apart(judging: Build) -> None:
    asked = judging()
    asked.provider.behave(token_letters=1)
    case = make_case(6)
    assert asked.opinions(case).scores == pytest.approx(expected_scores(case), abs=0.03)


def test_digits_where_words_carry_too_little_probability(judging: Build) -> None:
    asked = judging()
    asked.provider.script(*UNREADABLE_UNTIL_GIVEN_UP)
    cases = [make_case(seed) for seed in range(3)]
    opinions = asked.opinions(*cases)
    assert asked.judge.extraction == "logprobs"
    assert asked.provider.readings[-1].levels == ("1", "2", "3", "4", "5")
    assert opinions.scores == pytest.approx(expected_scores(*cases), abs=0.03)


def test_structured_answers_where_there_are_no_probabilities(judging: Build) -> None:
    asked = judging()
    asked.provider.behave(mix=Mix({Misbehaviour.NO_LOGPROBS: 1.0}))
    cases = [make_case(seed) for seed in range(3)]
    opinions = asked.opinions(*cases)
    assert asked.judge.extraction == "structured"
    likeliest = np.vectorize(lambda score: 1 + np.argmax(level_probabilities(score)))
    assert (opinions.scores == likeliest(expected_scores(*cases))).all()
    assert opinions.errors == pytest.approx(ROUNDING_SPREAD)


def test_the_mean_of_samples_comes_near_the_expected_value(judging: Build) -> None:
    asked = judging(candidates=manners(samples=64)[2:3]).ready
    case = make_case(1)
    opinions = asked.opinions(case, panel=PANEL[:2])
    assert asked.provider.traffic.requests == 2 * 64
    assert asked.provider.traffic.distinct_questions == 2 * 64
    off = opinions.scores - expected_scores(case)[:, :2]
    assert (np.abs(off) < 4 * opinions.errors).all()
    assert (opinions.errors < 0.2).all()


def test_a_model_that_changed_is_probed_again(judging: Build) -> None:
    asked = judging().ready
    asked.provider.behave(mix=Mix({Misbehaviour.NO_LOGPROBS: 1.0}))
    assert asked.opinions(make_case(1)).failures
    assert asked.opinions(make_case(1)).failures == {}
    assert asked.judge.extraction == "structured"
