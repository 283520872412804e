from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from qoe_service.provider import CallFailed, FailureKind
from qoe_service.provider.breaker import Breaker, Circuit, CircuitOpen

FAILURES, OPEN_S, PATIENCE_S = 3, 10.0, 2.0
HARMLESS = ["busy", "rejected", "refused", "unreadable"]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def make_breaker(clock):
    return Breaker(
        "vlm at here", failures=FAILURES, open_s=OPEN_S, patience_s=PATIENCE_S, now=clock
    )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(
        "vlm at here", failures=FAILURES, open_s=OPEN_S, patience_s=PATIENCE_S, now=clock
    )


def call(breaker, outcome=None, *, clock=None, seconds=0.0):
    with breaker.call():
        if clock is not None:
            clock.now_s += seconds
        if outcome is not None:
            raise outcome


def fail(breaker, kind):
    with pytest.raises(CallFailed):
        call(breaker, CallFailed(FailureKind(kind), kind))


def test_opens_after_enough_failures_and_says_until_when(breaker, clock):
    for _ in range(FAILURES):
        assert breaker.state is Circuit.CLOSED
        fail(breaker, "broken")
    clock.now_s += 4
    assert breaker.state is Circuit.OPEN
    with pytest.raises(CircuitOpen, match=r"vlm at here .* in 6.0 s") as told:
        call(breaker)
    assert told.value.retry_after_s == 6.0
    assert breaker.counts == {"broken": 3, "opened": 1, "short_circuited": 1}


def test_a_success_forgives(breaker):
    for _ in range(FAILURES - 1):
        fail(breaker, "broken")
    call(breaker)
    for _ in range(FAILURES - 1):
        fail(breaker, "broken")
    assert breaker.state is Circuit.CLOSED


@pytest.mark.parametrize("kind", HARMLESS)
def test_failures_of_a_living_endpoint_are_counted_apart(breaker, kind):
    for _ in range(5 * FAILURES):
        fail(breaker, kind)
    assert breaker.state is Circuit.CLOSED
    assert breaker.counts == {kind: 5 * FAILURES}


def test_impatient_callers_do_not_open_it(breaker, clock):
    for _ in range(5 * FAILURES):
        with pytest.raises(CallFailed):
            call(breaker, CallFailed(FailureKind.SLOW, "late"), clock=clock, seconds=1.9)
    assert breaker.state is Circuit.CLOSED


@pytest.mark.parametrize("error", [CallFailed(FailureKind.SLOW, "slow"), asyncio.CancelledError()])
def test_waiting_in_vain_opens_it_whoever_gave_up(breaker, clock, error):
    for _ in range(FAILURES):
        with pytest.raises(type(error)):
            call(breaker, error, clock=clock, seconds=PATIENCE_S)
    assert breaker.state is Circuit.OPEN


def test_half_open_lets_one_probe_through(breaker, clock):
    for _ in range(FAILURES):
        fail(breaker, "broken")
    clock.now_s += OPEN_S
    with breaker.call():
        with pytest.raises(CircuitOpen, match="one call is finding out"):
            call(breaker)
        assert breaker.state is Circuit.HALF_OPEN
    assert breaker.state is Circuit.CLOSED
    call(breaker)


def test_a_probe_that_learns_nothing_lets_the_next_one_try(breaker, clock):
    for _ in range(FAILURES):
        fail(breaker, "broken")
    clock.now_s += OPEN_S
    with pytest.raises(asyncio.CancelledError):
        call(breaker, asyncio.CancelledError())
    assert breaker.state is Circuit.HALF_OPEN
    call(breaker)
    assert breaker.state is Circuit.CLOSED


def test_calls_that_began_before_it_opened_are_old_news(breaker, clock):
    with breaker.call():
        for _ in range(FAILURES):
            fail(breaker, "broken")
    assert breaker.state is Circuit.OPEN


def test_stays_open_for_longer_while_probes_fail(clock):
    breaker = Breaker("vlm", failures=1, open_s=1.0, longest_open_s=5.0, now=clock)
    waits_s = []
    for _ in range(5):
        fail(breaker, "broken")
        with pytest.raises(CircuitOpen) as told:
            breaker.check()
        waits_s.append(told.value.retry_after_s)
        clock.now_s += told.value.retry_after_s
    assert waits_s == [1.0, 2.0, 4.0, 5.0, 5.0]
    call(breaker)
    fail(breaker, "broken")
    with pytest.raises(CircuitOpen, match=r"in 1\.0 s"):
        breaker.check()


class BreakerMachine(RuleBasedStateMachine):
    """Concurrent calls that begin and end in any order, against a model in three variables."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = make_breaker(self.clock)
        self.calls: list[tuple] = []  # (context manager, epoch)
        self.streak, self.open_until_s, self.probe, self.epoch = 0, None, False, 0

    @rule(seconds=st.sampled_from([0.5, PATIENCE_S, OPEN_S / 2, OPEN_S]))
    def wait(self, seconds):
        self.clock.now_s += seconds

    @rule()
    def begin(self):
        is_open = self.open_until_s is not None
        context = self.breaker.call()
        if is_open and (self.clock.now_s < self.open_until_s or self.probe):
            with pytest.raises(CircuitOpen) as told:
                context.__enter__()
            assert told.value.retry_after_s > 0
            return
        context.__enter__()
        self.probe = is_open
        self.calls.append((context, self.epoch))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), outcome=st.sampled_from(["fine", "broken", "other", *HARMLESS]))
    def end(self, data, outcome):
        index = data.draw(st.integers(0, len(self.calls) - 1))
        context, epoch = self.calls.pop(index)
        self._leave(context, outcome)
        if epoch != self.epoch:
            return
        was_probe, self.probe = self.probe, False
        if outcome == "fine":
            self.streak = 0
            if was_probe:
                self.open_until_s, self.epoch = None, self.epoch + 1
        elif outcome == "broken":
            self.streak += 1
            if was_probe or self.streak == FAILURES:
                self.open_until_s = self.clock.now_s + OPEN_S
                self.epoch, self.streak = self.epoch + 1, 0

    def _leave(self, context, outcome):
        if outcome == "fine":
            assert not context.__exit__(None, None, None)
            return
        error = ValueError() if outcome == "other" else CallFailed(FailureKind(outcome), outcome)
        assert not context.__exit__(type(error), error, None)

    def teardown(self):
        for context, _ in self.calls:
            context.__exit__(None, None, None)


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=60)
