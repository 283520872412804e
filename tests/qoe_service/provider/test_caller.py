from __future__ import annotations

import asyncio
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.judges import Deadline
from qoe_service.provider import Answer, CallFailed, FailureKind, Question, Usage
from qoe_service.provider.breaker import Breaker, Circuit
from qoe_service.provider.budget import Budget, OverBudget, Tariff, rough_usage
from qoe_service.provider.caller import GRACE, LEAST_GRACE_S, Caller
from qoe_service.provider.concurrency import Limiter
from qoe_service.provider.retrying import GaveUp, Retrying

QUESTION = Question("You are calm.", "How good is it?")
GOOD = Answer("good", (), 50, 1)


class Model:
    """Answers after `seconds`; `outcomes` come first, one a call, then always `GOOD`."""

    def __init__(self, *outcomes, seconds=1.0) -> None:
        self.outcomes, self.seconds = list(outcomes), seconds
        self.asked = self.in_flight = self.most_in_flight = 0

    async def __call__(self, question):
        self.asked += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            outcome = self.outcomes.pop(0) if self.outcomes else GOOD
            if outcome == "hang":
                await asyncio.Event().wait()
            await asyncio.sleep(self.seconds)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            self.in_flight -= 1


def failure(kind, **told):
    return CallFailed(FailureKind(kind), f"it was {kind}", **told)


def make(loop, model, *, limiter=None, breaker=None, budget=None, attempt_timeout_s=10.0):
    now = loop.time
    return Caller(
        model,
        retrying=Retrying(now=now, rng=np.random.default_rng(0)),
        breaker=breaker or Breaker("vlm", failures=4, open_s=5.0, now=now),
        limiter=limiter or Limiter(start=4, most=8, now=now),
        budget=budget or Budget(),
        tariff=Tariff("judge-9", 1.0, 1.0),
        attempt_timeout_s=attempt_timeout_s,
        estimate=partial(rough_usage, output_tokens=10),
        now=now,
    )


def ask(caller, key="k", left_s=60.0, run="r1", read=None):
    return caller.ask(QUESTION, key=key, deadline=Deadline(left_s), run=run, read=read)


def test_a_question_gets_its_answer_through_failures(virtually):
    async def main(loop):
        model = Model(failure("broken"), failure("busy", retry_after_s=3.0))
        caller = make(loop, model)
        answer = await ask(caller)
        assert answer is GOOD
        assert loop.time() >= 3 * 1.0 + 3.0
        assert caller.budget.spent("r1").tokens == 51
        return model.asked, caller.attempts, caller.breaker.counts

    counts = {"broken": 1, "busy": 1, "success": 1}
    assert virtually(main) == (3, 3, counts)


def test_a_group_with_duplicates_costs_one_call_each(virtually):
    async def main(loop):
        model = Model(failure("broken"))
        caller = make(loop, model)
        keys = [f"picture {number % 12}" for number in range(16)]
        answers = await asyncio.gather(*(ask(caller, key) for key in keys))
        assert answers == [GOOD] * 16
        return model.asked, caller.flights.shared

    assert virtually(main) == (12 + 1, 4)


def test_an_answer_that_cannot_be_read_is_asked_for_again(virtually):
    def read(answer):
        if answer.text != "good":
            raise failure("unreadable")

    async def main(loop):
        caller = make(loop, Model(Answer("hm", (), 50, 1), Answer("well", (), 50, 1)))
        assert await ask(caller, read=read) is GOOD
        assert caller.budget.spent("r1").tokens == 3 * 51
        return caller.breaker.counts

    assert virtually(main) == {"unreadable": 2, "success": 1}


def test_a_hanging_model_is_cut_off_and_asked_again(virtually):
    async def main(loop):
        caller = make(loop, Model("hang"))
        assert await ask(caller) is GOOD
        return loop.time(), caller.breaker.counts

    ended_s, counts = virtually(main)
    assert 11.0 <= ended_s <= 11.25
    assert counts == {"slow": 1, "success": 1}


def test_the_deadline_cuts_an_attempt_short_and_says_what_was_tried(virtually):
    async def main(loop):
        caller = make(loop, Model("hang", "hang"))
        with pytest.raises(GaveUp, match=r"time was up, after 2 attempts in 15.0 s; last: .* than"):
            await ask(caller, left_s=15.0)
        return loop.time()

    assert virtually(main) == 15.0


def test_queueing_is_not_held_against_the_model(virtually):
    async def main(loop):
        caller = make(loop, Model(seconds=8.0), limiter=Limiter(start=1, most=1, now=loop.time))
        asked = [ask(caller, f"{number}", left_s=25.0) for number in range(5)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert outcomes[:3] == [GOOD] * 3
        # One was cut off in the model after a second, which is too short to speak of; one queued.
        assert [outcome.kind for outcome in outcomes[3:]] == ["slow", "busy"]
        assert loop.time() == 25.0
        return caller.breaker.state

    assert virtually(main) is Circuit.CLOSED


def test_when_the_model_is_gone_callers_are_told_at_once_and_it_comes_back(virtually):
    async def main(loop):
        model = Model(*[failure("broken")] * 4, seconds=0.0)
        caller = make(loop, model)
        with pytest.raises(GaveUp, match="vlm does not answer"):
            await ask(caller)
        asked, opened_s = model.asked, loop.time()
        with pytest.raises(GaveUp) as told:
            await ask(caller)
        assert (model.asked, loop.time()) == (asked, opened_s)
        await asyncio.sleep(told.value.retry_after_s)
        assert await ask(caller, left_s=99) is GOOD
        return caller.breaker.state

    assert virtually(main) is Circuit.CLOSED


def test_those_in_the_queue_do_not_run_into_an_endpoint_that_went_down(virtually):
    async def main(loop):
        model = Model(*["hang"] * 100)
        caller = make(loop, model)
        asked = [ask(caller, f"{number}", left_s=100.0) for number in range(30)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {outcome.kind for outcome in outcomes} == {FailureKind.BROKEN}
        assert loop.time() <= 10.0 + 0.25  # a time-out and the first pause
        return model.asked

    assert virtually(main) == 4


def test_nobody_queues_behind_a_probe(virtually):
    async def main(loop):
        breaker = Breaker("vlm", failures=1, open_s=5.0, now=loop.time)
        limiter = Limiter(start=1, most=1, now=loop.time)
        model = Model(failure("broken"), "hang")
        caller = make(loop, model, breaker=breaker, limiter=limiter)
        with pytest.raises(GaveUp):
            await ask(caller, "a")
        await asyncio.sleep(5.0)
        probe = loop.create_task(ask(caller, "b"))
        await asyncio.sleep(0.5)
        asked_s = loop.time()
        with pytest.raises(GaveUp, match="one call is finding out"):
            await ask(caller, "c")
        told_s = loop.time()
        await asyncio.gather(probe, return_exceptions=True)
        return told_s - asked_s

    assert virtually(main) == 0.0


def test_a_run_without_money_asks_nothing(virtually):
    async def main(loop):
        model = Model()
        caller = make(loop, model, budget=Budget(limit_tokens=51))
        await ask(caller, "a")
        with pytest.raises(OverBudget):
            await ask(caller, "b")
        return model.asked, caller.breaker.counts

    assert virtually(main) == (1, {"success": 1})


def test_one_runs_empty_purse_is_not_anothers(virtually):
    async def main(loop):
        budget = Budget(limit_tokens=60)
        with budget.reservation("poor", Usage(60), Tariff("judge-9")) as reservation:
            reservation.settle(Usage(60))
        caller = make(loop, Model(), budget=budget)
        return await asyncio.gather(
            ask(caller, run="poor"), ask(caller, run="rich"), return_exceptions=True
        )

    poor, rich = virtually(main)
    assert isinstance(poor, OverBudget)
    assert rich is GOOD


def test_who_has_more_time_is_not_failed_by_who_has_less(virtually):
    async def main(loop):
        model = Model("hang", seconds=2.0)
        caller = make(loop, model)
        hasty, patient = await asyncio.gather(
            ask(caller, left_s=5.0), ask(caller, left_s=50.0), return_exceptions=True
        )
        assert isinstance(hasty, GaveUp)
        assert patient is GOOD
        return model.asked, loop.time()

    assert virtually(main) == (2, 7.0)


def test_who_has_less_time_leaves_the_call_to_who_has_more(virtually):
    async def main(loop):
        model = Model(seconds=8.0)
        caller = make(loop, model)
        patient = loop.create_task(ask(caller, left_s=50.0))
        await asyncio.sleep(0)
        with pytest.raises(CallFailed, match=r"no answer within 3.1 s"):
            await ask(caller, left_s=3.0)
        assert loop.time() == pytest.approx(3.0 * (1 + GRACE))
        assert await patient is GOOD
        return model.asked

    assert virtually(main) == 1


def test_cancelling_the_only_caller_frees_everything(virtually):
    async def main(loop):
        caller = make(loop, Model("hang"))
        task = loop.create_task(ask(caller))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert caller.budget.reserved("r1").calls == 0
        return caller.flights.in_flight, caller.limiter.in_flight

    assert virtually(main) == (0, 0)


def test_refuses_a_timeout_that_would_blind_the_breaker(virtually):
    async def main(loop):
        with pytest.raises(ValueError, match="before the breaker's patience"):
            make(loop, Model(), attempt_timeout_s=1.0)

    virtually(main)


OUTCOMES = ["hang", GOOD, *(failure(kind) for kind in FailureKind)]


@settings(max_examples=60)
@given(
    outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=60),
    asked=st.lists(
        st.tuples(st.integers(0, 9), st.floats(0, 10), st.floats(0, 30)), min_size=1, max_size=40
    ),
    seconds=st.floats(0, 3),
)
def test_everybody_is_answered_in_time_and_nothing_leaks(virtually, outcomes, asked, seconds):
    async def main(loop):
        model = Model(*outcomes, seconds=seconds)
        caller = make(loop, model, budget=Budget(limit_tokens=3_000))

        async def one(key, arrives_s, left_s):
            await asyncio.sleep(arrives_s)
            deadline_s = loop.time() + left_s
            try:
                return await ask(caller, str(key), left_s=deadline_s)
            except (CallFailed, OverBudget) as error:
                return error
            finally:
                grace_s = max(LEAST_GRACE_S, GRACE * left_s)
                assert loop.time() <= deadline_s + grace_s + 1e-9

        answers = await asyncio.gather(*(one(*each) for each in asked))
        assert all(
            answer is GOOD or isinstance(answer, CallFailed | OverBudget) for answer in answers
        )
        await asyncio.sleep(0)
        assert model.most_in_flight <= 8
        assert model.in_flight == caller.limiter.in_flight == caller.limiter.waiting == 0
        assert caller.flights.in_flight == caller.budget.reserved("r1").calls == 0
        assert caller.attempts == model.asked

    virtually(main)
