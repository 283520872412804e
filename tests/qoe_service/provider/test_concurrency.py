from __future__ import annotations

import asyncio

import numpy as np
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


@pytest.mark.parametrize(("refused", "left"), [(16, 8), (8, 12), (2, 15)])
def test_shrinks_by_half_the_share_that_was_refused_in_a_round(virtually, refused, left):
    async def main(loop):
        limiter = Limiter(start=16, most=64, now=loop.time)
        well = [call(limiter, seconds=2.0) for _ in range(16 - refused)]
        await asyncio.gather(calls(limiter, refused, outcome=FailureKind.BUSY), *well)
        return limiter.limit

    assert virtually(main) == left


def test_shrinks_to_one_and_no_further(virtually):
    async def main(loop):
        limiter = Limiter(start=3, most=64, now=loop.time)
        for _ in range(9):
            await calls(limiter, 1, outcome=FailureKind.BUSY)
        return limiter.limit

    assert virtually(main) == 1


class Server:
    """Refuses at random, and whatever is beyond its limit; a call takes a second, more or less."""

    def __init__(self, *, refusing=0.0, most=10**9) -> None:
        self.rng = np.random.default_rng(0)
        self.refusing, self.most = refusing, most
        self.in_flight = 0
        self.forget()

    def forget(self):
        self.served = self.refused = 0

    async def __call__(self):
        if self.in_flight >= self.most or self.rng.random() < self.refusing:
            await asyncio.sleep(0.05)
            self.refused += 1
            raise CallFailed(FailureKind.BUSY, "429")
        self.in_flight += 1
        await asyncio.sleep(self.rng.gamma(4, 0.25))
        self.in_flight -= 1
        self.served += 1


async def limits_of(loop, server, *, start, seconds, callers=100):
    """The limit every quarter of a second, while more callers than it lets in never rest."""
    limiter, limits = Limiter(start=start, most=64, now=loop.time), []

    async def caller():
        while loop.time() < seconds:
            try:
                async with limiter.place(FOR_EVER):
                    await server()
            except CallFailed:
                await asyncio.sleep(server.rng.uniform(0, 0.25))

    async def watch():
        while loop.time() < seconds:
            limits.append(limiter.limit)
            await asyncio.sleep(0.25)

    await asyncio.gather(watch(), *(caller() for _ in range(callers)))
    return limits


@pytest.mark.parametrize(("share", "places"), [(0.01, 64), (0.03, 64), (0.1, 18), (0.3, 4.7)])
def test_random_refusals_leave_as_many_places_as_derived(virtually, share, places):
    async def main(loop):
        limits = await limits_of(loop, Server(refusing=share), start=16, seconds=200)
        return np.mean(limits[-400:])

    assert places == pytest.approx(min(64, 2 * (1 - share) / share), rel=0.02)
    # 100 s with a few calls in flight are some hundred calls: the mean is known to about a tenth.
    assert virtually(main) == pytest.approx(places, rel=0.15)


@pytest.mark.parametrize("start", [16, 64])
@pytest.mark.parametrize("most", [4, 16])
def test_a_hard_limit_is_found_within_a_few_rounds_and_kept(virtually, most, start):
    server = Server(most=most)

    async def main(loop):
        loop.call_later(10.0, server.forget)
        return await limits_of(loop, server, start=start, seconds=110)

    limits = virtually(main)
    assert max(limits[4:]) <= most + 1  # from the first second on
    assert min(limits[40:]) >= most - 1
    assert server.served / 100 > 0.95 * most
    # One more than the limit is let in whenever half of the places have had a success.
    assert server.refused / server.served < 2 / most


def test_nobody_enters_until_it_is_below_a_limit_that_shrank(virtually):
    async def main(loop):
        limiter = Limiter(start=4, most=4, now=loop.time)
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

    assert virtually(main) == [2.0, 3.0]


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


@pytest.mark.parametrize("start", [0, 65])
def test_refuses_limits_that_make_no_sense(start):
    with pytest.raises(ValueError, match="limit"):
        Limiter(start=start)


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
        limiter = Limiter(start=start, most=6, now=loop.time)
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
