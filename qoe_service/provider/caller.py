"""One question to one endpoint, through everything that stands between a judge and a model.

    single flight -> budget -> retry loop -> breaker -> limiter -> chat

Equal questions share all of it. The budget is checked before anything is queued and reserved for
each attempt when its turn has come, so that what waits in line holds no money. The time an attempt
gets begins with its turn too: a long queue must not look like a slow model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from qoe_service.judges import Deadline
from qoe_service.provider import Answer, CallFailed, FailureKind, Question, Usage
from qoe_service.provider.breaker import Breaker
from qoe_service.provider.budget import Budget, OverBudget, Tariff, rough_usage
from qoe_service.provider.concurrency import Limiter
from qoe_service.provider.retrying import GaveUp, Retrying
from qoe_service.provider.single_flight import SingleFlight

Read = Callable[[Answer], object]
"""Raises `CallFailed` (UNREADABLE) for an answer that is of no use, so that it is asked again."""

GRACE, LEAST_GRACE_S = 0.025, 0.02
"""How much later than the deadline the last guard strikes, as a share of the time there was: by
then whoever knows why there is no answer has told, even on an event loop that lags."""


class Caller:
    """Asks one endpoint. Belongs to one event loop.

    Args:
        ask: asks the model once; `Chat.ask`.
        attempt_timeout_s: the longest that one attempt may take in the model. At least the
            breaker's patience, or a model that hangs would never open it.
        estimate: what a question costs at most.
        now: monotonic clock, in seconds: the one deadlines are on.
    """

    def __init__(
        self,
        ask: Callable[[Question], Awaitable[Answer]],
        *,
        retrying: Retrying,
        breaker: Breaker,
        limiter: Limiter,
        budget: Budget,
        tariff: Tariff,
        attempt_timeout_s: float = 60.0,
        estimate: Callable[[Question], Usage] = rough_usage,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if attempt_timeout_s < breaker.patience_s:
            raise ValueError(
                f"an attempt is cut off after {attempt_timeout_s} s, before the breaker's patience "
                f"of {breaker.patience_s} s is over; make the one longer or the other shorter"
            )
        self.breaker, self.limiter, self.budget = breaker, limiter, budget
        self.flights: SingleFlight[Answer] = SingleFlight()
        self._ask, self._retrying, self._tariff = ask, retrying, tariff
        self._attempt_timeout_s, self._estimate, self._now = attempt_timeout_s, estimate, now
        self._attempts = 0

    @property
    def attempts(self) -> int:
        """Calls made to the model since the start."""
        return self._attempts

    async def ask(
        self,
        question: Question,
        *,
        key: str,
        deadline: Deadline,
        run: str,
        read: Read | None = None,
    ) -> Answer:
        """The answer to a question; equal keys in flight share one call.

        Raises:
            CallFailed: if there is none in time; `GaveUp` tells how often it was tried.
            OverBudget: if the run has nothing left.
        """
        call = partial(self._until_answered, question, deadline, run, read)
        while True:
            left_s = deadline.at_s - self._now()
            limit_s = left_s + max(LEAST_GRACE_S, GRACE * left_s)
            try:
                return await _within(limit_s, self.flights.run(key, call), _NOBODY_ANSWERED)
            except GaveUp as failure:
                if not (failure.out_of_time and failure.deadline.at_s < deadline.at_s):
                    raise
            except OverBudget as failure:
                if failure.run == run:
                    raise
            # The call was another caller's, who had less time or less money: ask for ourselves.

    async def _until_answered(
        self, question: Question, deadline: Deadline, run: str, read: Read | None
    ) -> Answer:
        self.budget.check(run, self._tariff)
        attempt = partial(self._attempt, question, deadline, run, read)
        return await self._retrying.until(deadline, attempt)

    async def _attempt(
        self, question: Question, deadline: Deadline, run: str, read: Read | None
    ) -> Answer:
        self.breaker.check()
        estimate = self._estimate(question)
        async with self.limiter.place(deadline):
            with (
                self.budget.reservation(run, estimate, self._tariff) as reservation,
                self.breaker.call(),
            ):
                answer = await self._in_time(question, deadline)
                reservation.settle(answer.usage)
                if read is not None:
                    read(answer)
                return answer

    async def _in_time(self, question: Question, deadline: Deadline) -> Answer:
        self._attempts += 1
        limit_s = min(self._attempt_timeout_s, deadline.at_s - self._now())
        return await _within(limit_s, self._ask(question), "the model took longer than {:.1f} s")


_NOBODY_ANSWERED = "there was no answer within {:.1f} s, a little more than there was time for"


async def _within(seconds: float, answer: Awaitable[Answer], reason: str) -> Answer:
    """The answer; SLOW, with a reason that names the seconds, if it takes longer."""
    try:
        async with asyncio.timeout(None if seconds == float("inf") else seconds):
            return await answer
    except TimeoutError as error:
        raise CallFailed(FailureKind.SLOW, reason.format(seconds)) from error
