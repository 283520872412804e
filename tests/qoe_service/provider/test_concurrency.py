from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.judges import Deadline
from qoe_service.provider import CallFailed, FailureKind
from qoe_service.provider.concurrency import Limiter

FOR_EVER = Deadline()


async def call(limiter, seconds=1.0, *, outcome=None, deadline=FOR_EVER):
    async with limiter.place(deadline):
        await asyncio.sleep(seconds)
        if outcome is not None:
            raise CallFailed(outcome, str(outcome))


async def calls(limiter, count, **options):
    return await asyncio.gather(
        *(call(limiter, **options) for _ in range(count)), return_exceptions=True
    )


def test_never_more_than_the_limit_and_first_come_first_served(virtually):
    async def main(loop):
        limiter = Limiter(start=3, most=3, now=loop.time)
        order, most = [], 0

        async def one(number):
            nonlocal most
            async with limiter.place(FOR_EVER):
                order.append(number)
                most = max(most, limiter.in_flight)
                await asyncio.sleep(1)

        await asyncio.gather(*(one(number) for number in range(20)))
        return order, most, loop.time()

    assert virtually(main) == (list(range(20)), 3, 7.0)


def test_a_burst_of_refusals_shrinks_it_once(virtually):
    async def main(loop):
        limiter = Limiter(start=10, most=20, shrink=0.5, now=loop.time)
        await calls(limiter, 10, outcome=FailureKind.BUSY)
        after_one_burst = limiter.limit
        await calls(limiter, 5, outcome=FailureKind.BUSY)
        after_two = limiter.limit
        for _ in range(9):
            await calls(limiter, 1, outcome=FailureKind.BUSY)
        return after_one_burst, after_two, limiter.limit

    assert virtually(main) == (5, 2, 1)


def test_nobody_enters_until_it_is_below_a_limit_that_shrank(virtually):
    async def main(loop):
        limiter = Limiter(start=4, most=4, shrink=0.5, now=loop.time)
        entered_s = []

        async def late():
            async with limiter.place(FOR_EVER):
                entered_s.append(loop.time())
                assert limiter.in_flight <= limiter.limit
                await asyncio.sleep(5)

        refused = call(limiter, 1.0, outcome=FailureKind.BUSY)
        early = [call(limiter, seconds) for seconds in (2.0, 3.0, 4.0)]
        await asyncio.gather(refused, *early, late(), late(), return_exceptions=True)
        return entered_s

    assert virtually(main) == [3.0, 4.0]


def test_grows_by_one_a_round_up_to_the_most(virtually):
    async def main(loop):
        limiter = Limiter(start=2, most=4, now=loop.time)
        limits = []

        async def one():
            await call(limiter)
            limits.append(limiter.limit)

        await asyncio.gather(*(one() for _ in range(40)))
        return limits

    limits = virtually(main)
    assert limits[:2] == [2, 3]  # two successes at limit 2
    assert limits.index(4) == 2 + 3 - 1  # three more at limit 3
    assert limits[-1] == 4


def test_an_idle_limiter_learns_nothing(virtually):
    async def main(loop):
        limiter = Limiter(start=4, most=64, now=loop.time)
        for _ in range(50):
            await calls(limiter, 3)
        return limiter.limit

    assert virtually(main) == 4


@pytest.mark.parametrize("kind", ["broken", "slow", "rejected", "refused", "unreadable"])
def test_other_failures_leave_the_limit_alone(virtually, kind):
    async def main(loop):
        limiter = Limiter(start=4, most=64, now=loop.time)
        await calls(limiter, 40, outcome=FailureKind(kind))
        return limiter.limit

    assert virtually(main) == 4


def test_predicts_the_wait(virtually):
    async def main(loop):
        limiter = Limiter(start=2, most=2, now=loop.time)
        assert limiter.predicted_wait_s == 0.0
        await calls(limiter, 2, seconds=3.0)
        others = asyncio.gather(*(call(limiter, 3.0) for _ in range(12)))
        await asyncio.sleep(0.1)
        predicted = limiter.waiting, limiter.mean_service_s, limiter.predicted_wait_s
        await others
        return predicted

    assert virtually(main) == (10, 3.0, pytest.approx(10 * 3.0 / 2))


def test_callers_leave_the_queue_when_their_time_is_up(virtually):
    async def main(loop):
        limiter = Limiter(start=1, most=1, now=loop.time)
        first = loop.create_task(call(limiter, 10.0))
        await asyncio.sleep(0)
        hasty = loop.create_task(call(limiter, deadline=Deadline(2.0)))
        patient = loop.create_task(call(limiter))
        with pytest.raises(CallFailed, match="passed in the queue, which had 0 callers") as told:
            await hasty
        assert loop.time() == 2.0
        assert limiter.waiting == 1
        await asyncio.gather(first, patient)
        return told.value.kind, loop.time()

    assert virtually(main) == (FailureKind.BUSY, 11.0)


def test_a_place_given_to_one_who_is_just_leaving_goes_to_the_next(virtually):
    async def main(loop):
        limiter = Limiter(start=1, most=1, now=loop.time)

        async def first():
            await call(limiter)
            second.cancel()  # it has been given the place, and has not yet noticed

        leading = loop.create_task(first())
        await asyncio.sleep(0)
        second = loop.create_task(call(limiter))
        third = loop.create_task(call(limiter))
        await asyncio.gather(leading, third)
        return second.cancelled(), limiter.in_flight, loop.time()

    assert virtually(main) == (True, 0, 2.0)


@pytest.mark.parametrize(("start", "shrink"), [(0, 0.5), (65, 0.5), (4, 0.0), (4, 1.0)])
def test_refuses_limits_that_make_no_sense(start, shrink):
    with pytest.raises(ValueError, match="limit"):
        Limiter(start=start, shrink=shrink)


CALLERS = st.lists(
    st.tuples(
        st.floats(0, 5),  # arrives
        st.floats(0, 3),  # serves
        st.sampled_from([None, *FailureKind]),
        st.none() | st.floats(0, 6),  # is cancelled after
        st.none() | st.floats(0, 6),  # deadline after
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(callers=CALLERS, start=st.integers(1, 4))
def test_no_place_is_lost_whoever_leaves_when(virtually, callers, start):
    async def main(loop):
        limiter = Limiter(start=start, most=6, shrink=0.5, now=loop.time)
        served: list[int] = []
        asked: list[int] = []
        outcomes = {outcome for _, _, outcome, _, _ in callers}

        async def one(number, arrives, serves, outcome, _, patience_s):
            await asyncio.sleep(arrives)
            deadline = FOR_EVER if patience_s is None else Deadline(loop.time() + patience_s)
            asked.append(number)
            async with limiter.place(deadline):
                served.append(number)
                if FailureKind.BUSY not in outcomes:  # else it may just have shrunk
                    assert limiter.in_flight <= limiter.limit
                await asyncio.sleep(serves)
                if outcome is not None:
                    raise CallFailed(outcome, "x")

        tasks = [loop.create_task(one(n, *caller)) for n, caller in enumerate(callers)]
        for task, (arrives, _, _, leaves, _) in zip(tasks, callers, strict=True):
            if leaves is not None:
                loop.call_later(arrives + leaves, task.cancel)
        # A lost wake-up would leave somebody waiting for ever: the virtual loop says deadlock.
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        assert 1 <= limiter.limit <= 6
        order = {number: place for place, number in enumerate(asked)}
        ranks = [order[number] for number in served]
        assert ranks == sorted(ranks)  # nobody overtakes

    virtually(main)
