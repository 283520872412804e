from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.provider.single_flight import SingleFlight


class Calls:
    """A call that takes a second and tells how often it was made and how it ended."""

    def __init__(self, outcome="yes", seconds=1.0) -> None:
        self.outcome, self.seconds = outcome, seconds
        self.began = self.cancelled = 0

    async def __call__(self):
        self.began += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_equal_keys_share_a_call_and_others_do_not(virtually):
    async def main(loop):
        flights, calls = SingleFlight(), Calls()
        keys = ["a"] * 10 + ["b"] * 5
        answers = await asyncio.gather(*(flights.run(key, calls) for key in keys))
        assert answers == ["yes"] * 15
        return calls.began, flights.shared, flights.in_flight

    assert virtually(main) == (2, 13, 0)


def test_nothing_is_kept_once_it_has_landed(virtually):
    async def main(loop):
        flights, calls = SingleFlight(), Calls()
        await flights.run("a", calls)
        await flights.run("a", calls)
        return calls.began

    assert virtually(main) == 2


def test_a_failure_is_shared_by_those_who_waited_and_forgotten(virtually):
    async def main(loop):
        flights = SingleFlight()
        failing = Calls(ValueError("no"))
        waiting = [flights.run("a", failing) for _ in range(4)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["no"] * 4
        assert failing.began == 1
        return await flights.run("a", Calls("better"))

    assert virtually(main) == "better"


def test_who_leaves_leaves_the_others_their_call(virtually):
    async def main(loop):
        flights, calls = SingleFlight(), Calls()
        first, second = (loop.create_task(flights.run("a", calls)) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == "yes"
        assert first.cancelled()
        return calls.began, calls.cancelled

    assert virtually(main) == (1, 0)


def test_the_last_to_leave_takes_the_call_along(virtually):
    async def main(loop):
        flights, calls = SingleFlight(), Calls()
        tasks = [loop.create_task(flights.run("a", calls)) for _ in range(3)]
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        fresh = await flights.run("a", Calls("fresh"))
        return calls.began, calls.cancelled, flights.in_flight, fresh

    assert virtually(main) == (1, 1, 0, "fresh")


def test_nobody_joins_a_call_that_was_given_up_and_is_still_cleaning_up(virtually):
    async def tidy():
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(5)

    async def main(loop):
        flights = SingleFlight()
        task = loop.create_task(flights.run("a", tidy))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(1)
        answer = await flights.run("a", Calls("fresh"))
        ended_s = loop.time()
        await asyncio.sleep(10)
        return answer, ended_s, flights.in_flight

    assert virtually(main) == ("fresh", 3.0, 0)


@settings(max_examples=100)
@given(
    waiters=st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0, 5), st.none() | st.floats(0, 2)),
        max_size=25,
    )
)
def test_at_most_one_call_a_key_at_a_time_and_everybody_hears(virtually, waiters):
    async def main(loop):
        flights = SingleFlight()
        under_way: set[str] = set()

        async def call(key):
            assert key not in under_way
            under_way.add(key)
            try:
                await asyncio.sleep(1)
                return key
            finally:
                under_way.remove(key)

        async def one(key, arrives):
            await asyncio.sleep(arrives)
            return await flights.run(key, lambda: call(key))

        tasks = [loop.create_task(one(key, arrives)) for key, arrives, _ in waiters]
        for task, (_, arrives, leaves) in zip(tasks, waiters, strict=True):
            if leaves is not None:
                loop.call_later(arrives + leaves, task.cancel)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        for outcome, (key, _, leaves) in zip(outcomes, waiters, strict=True):
            assert outcome == key or (
                leaves is not None and isinstance(outcome, asyncio.CancelledError)
            )
        assert flights.in_flight == 0

    virtually(main)
