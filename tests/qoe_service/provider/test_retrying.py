from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.judges import Deadline
from qoe_service.provider import CallFailed, FailureKind
from qoe_service.provider.breaker import CircuitOpen
from qoe_service.provider.retrying import GaveUp, Retrying, RetryPolicy


class Script:
    """An attempt that takes its time and ends as written; the last line repeats."""

    def __init__(self, loop, lines, deadline=None) -> None:
        self.loop, self.lines = loop, lines
        self.deadline = deadline or Deadline()
        self.began_s: list[float] = []

    async def __call__(self) -> str:
        seconds, outcome = self.lines[min(len(self.began_s), len(self.lines) - 1)]
        self.began_s.append(self.loop.time())
        left_s = self.deadline.at_s - self.loop.time()
        if seconds >= left_s:
            await asyncio.sleep(left_s)
            raise CallFailed(FailureKind.SLOW, "cut off at the deadline")
        await asyncio.sleep(seconds)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def retrying(loop, seed=0, **policy):
    rng = np.random.default_rng(seed)
    return Retrying(RetryPolicy(**policy), now=loop.time, rng=rng)


def failure(kind, retry_after_s=None):
    return CallFailed(FailureKind(kind), f"it was {kind}", retry_after_s=retry_after_s)


def test_asks_again_until_there_is_an_answer(virtually):
    async def main(loop):
        script = Script(loop, [(1, failure("broken")), (1, failure("busy")), (1, "yes")])
        return await retrying(loop).until(Deadline(60), script), len(script.began_s)

    assert virtually(main) == ("yes", 3)


def test_what_asking_again_cannot_cure_is_asked_once(virtually):
    async def main(loop):
        script = Script(loop, [(1, failure("rejected"))])
        with pytest.raises(GaveUp, match=r"after 1 attempt in .*: it was rejected") as told:
            await retrying(loop).until(Deadline(60), script)
        return told.value.kind, told.value.attempts, loop.time()

    assert virtually(main) == ("rejected", 1, 1.0)


def test_a_model_that_declines_is_asked_once_more(virtually):
    async def main(loop):
        cured = Script(loop, [(1, failure("refused")), (1, "yes")])
        assert await retrying(loop).until(Deadline(60), cured) == "yes"
        script = Script(loop, [(1, failure("refused"))])
        with pytest.raises(GaveUp, match="the model declined 2 times, after 2") as told:
            await retrying(loop).until(Deadline(60), script)
        return told.value.kind, len(script.began_s)

    assert virtually(main) == ("refused", 2)


def test_an_unreadable_answer_is_asked_for_twice_more(virtually):
    async def main(loop):
        script = Script(loop, [(1, failure("unreadable"))])
        with pytest.raises(GaveUp, match="3 answers could not be read"):
            await retrying(loop).until(Deadline(600), script)
        return len(script.began_s)

    assert virtually(main) == 3


def test_a_retry_after_is_waited_for(virtually):
    async def main(loop):
        script = Script(loop, [(1, failure("busy", 7.0)), (1, "yes")])
        await retrying(loop).until(Deadline(60), script)
        return script.began_s[1] - 1

    assert 7.0 <= virtually(main) <= 7.0 + RetryPolicy().first_pause_s


def test_a_retry_after_beyond_the_deadline_ends_it_at_once(virtually):
    async def main(loop):
        script = Script(loop, [(1, failure("busy", 30.0))])
        with pytest.raises(GaveUp, match=r"left alone for 30.0 s and 11.0 s are left") as told:
            await retrying(loop).until(Deadline(12), script)
        return loop.time(), told.value.retry_after_s, told.value.out_of_time

    assert virtually(main) == (1.0, 30.0, True)


def test_nothing_is_asked_when_there_is_no_time(virtually):
    async def main(loop):
        await asyncio.sleep(5)
        script = Script(loop, [(0, "yes")])
        with pytest.raises(GaveUp, match="the time was up, after 0 attempts"):
            await retrying(loop).until(Deadline(5), script)
        return len(script.began_s)

    assert virtually(main) == 0


def test_an_open_breaker_is_not_waited_for(virtually):
    async def main(loop):
        script = Script(loop, [(0, CircuitOpen("it is down; asked again in 1 s", 1.0))])
        with pytest.raises(GaveUp, match="asked again in 1 s") as told:
            await retrying(loop).until(Deadline(60), script)
        return loop.time(), told.value.attempts, told.value.retry_after_s

    assert virtually(main) == (0.0, 0, 1.0)


def test_errors_that_are_nobodys_failure_pass_through(virtually):
    async def main(loop):
        with pytest.raises(ZeroDivisionError):
            await retrying(loop).until(Deadline(60), Script(loop, [(0, ZeroDivisionError())]))

    virtually(main)


def test_cancelling_ends_a_pause(virtually):
    async def main(loop):
        script = Script(loop, [(0, failure("busy", 50.0))])
        task = loop.create_task(retrying(loop).until(Deadline(60), script))
        await asyncio.sleep(10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(100)
        return len(script.began_s)

    assert virtually(main) == 1


def test_pauses_are_fully_jittered_and_grow_twofold(virtually):
    def pauses_after(attempt: int) -> np.ndarray:
        async def main(loop):
            script = Script(loop, [(0, failure("broken"))])
            with pytest.raises(GaveUp):
                await retrying(loop, next(seeds), most_attempts=attempt + 1).until(
                    Deadline(), script
                )
            return script.began_s[attempt] - script.began_s[attempt - 1]

        seeds = iter(range(200))
        return np.array([virtually(main) for _ in range(200)])

    for attempt in (1, 3, 7):
        longest = min(8.0, 0.25 * 2 ** (attempt - 1))
        pauses = pauses_after(attempt)
        assert pauses.max() <= longest
        # The mean of 200 draws from U(0, longest) is longest/2 with s.e. longest/sqrt(12*200).
        assert abs(pauses.mean() / longest - 0.5) < 5 / np.sqrt(12 * 200)


LINES = st.lists(
    st.tuples(
        st.floats(0, 20),
        st.one_of(
            st.just("yes"),
            st.builds(
                failure,
                st.sampled_from([str(kind) for kind in FailureKind]),
                st.none() | st.floats(0, 40),
            ),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150)
@given(lines=LINES, left_s=st.floats(0, 60), attempts=st.integers(1, 6), seed=st.integers(0, 99))
def test_keeps_its_promises_whatever_happens(virtually, lines, left_s, attempts, seed):
    async def main(loop):
        deadline = Deadline(left_s)
        script = Script(loop, lines, deadline)
        asking = retrying(loop, seed, most_attempts=attempts).until(deadline, script)
        (end,) = await asyncio.gather(asking, return_exceptions=True)
        assert end == "yes" or (isinstance(end, GaveUp) and end.attempts == len(script.began_s))
        assert loop.time() <= left_s + 1e-9
        assert len(script.began_s) <= attempts
        done = [outcome for _, outcome in lines[: max(0, len(script.began_s) - 1)]]
        kinds = [outcome.kind for outcome in done]  # all but the last failed, or it had ended
        assert FailureKind.REJECTED not in kinds
        assert kinds.count(FailureKind.REFUSED) <= 1
        assert kinds.count(FailureKind.UNREADABLE) <= 2
        for (seconds, outcome), began_s, next_s in zip(
            lines, script.began_s, script.began_s[1:], strict=False
        ):
            assert next_s >= began_s + seconds + (outcome.retry_after_s or 0) - 1e-9

    virtually(main)
