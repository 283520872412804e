"""As many calls at a time as the other side bears: more while it copes, fewer when it says 429.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as in TCP.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType

from qoe_service.judges import Deadline
from qoe_service.provider import CallFailed, FailureKind

WEIGHT_OF_THE_LATEST = 0.1
"""In the running mean of service times."""


class Limiter:
    """Places for calls to one endpoint, given out first come first served on one event loop.

    A 429 shrinks the limit once for all calls that began before it shrank: a burst of refusals is
    one piece of news. The limit grows by one when as many calls as it allows have succeeded since
    it last changed, counting only calls that ended while every place was taken: an idle limiter
    has learned nothing.

    Args:
        start: places at first.
        most: places at most.
        shrink: the factor on a 429, between 0 and 1.
        now: monotonic clock, in seconds.
    """

    def __init__(
        self,
        *,
        start: int = 16,
        most: int = 64,
        shrink: float = 0.7,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 1 <= start <= most:
            raise ValueError(f"the limit starts between 1 and {most}, got {start}")
        if not 0 < shrink < 1:
            raise ValueError(f"the limit shrinks by a factor between 0 and 1, got {shrink}")
        self._limit, self._most, self._shrink = start, most, shrink
        self._now = now
        self._in_flight = 0
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._round = 0
        self._successes = 0
        self._mean_service_s: float | None = None

    @property
    def limit(self) -> int:
        """Places there are now."""
        return self._limit

    @property
    def in_flight(self) -> int:
        """Places taken; for a while above a limit that has just shrunk."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._queue)

    @property
    def mean_service_s(self) -> float:
        """How long a place is held, a running mean in seconds; 0 before the first call ended."""
        return self._mean_service_s or 0.0

    @property
    def predicted_wait_s(self) -> float:
        """How long the queue will take: its length times the mean service time over the limit."""
        return len(self._queue) * self.mean_service_s / self._limit

    def place(self, deadline: Deadline) -> Place:
        """`async with limiter.place(deadline):` around a call.

        Raises:
            CallFailed: BUSY, if the deadline passes in the queue.
        """
        return Place(self, deadline)

    async def _enter(self, deadline: Deadline) -> None:
        if self._in_flight < self._limit:  # nobody waits while there are places
            self._in_flight += 1
            return
        ahead = len(self._queue)
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        try:
            left_s = deadline.at_s - self._now()
            async with asyncio.timeout(None if left_s == float("inf") else max(0.0, left_s)):
                await turn
        except BaseException as error:
            self._leave_queue(turn)
            if isinstance(error, TimeoutError):
                raise _overdue(ahead, self.predicted_wait_s) from None
            raise

    def _leave_queue(self, turn: asyncio.Future[None]) -> None:
        given = turn.done() and not turn.cancelled()
        if given:  # a place came at the very moment its caller went: it is for the next
            self._in_flight -= 1
        else:
            self._queue.pop(turn, None)
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._in_flight < self._limit:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _exit(self, entered_round: int, service_s: float, error: BaseException | None) -> None:
        if entered_round == self._round:
            self._learn(error)
        self._in_flight -= 1
        if self._mean_service_s is None:
            self._mean_service_s = service_s
        self._mean_service_s += WEIGHT_OF_THE_LATEST * (service_s - self._mean_service_s)
        self._admit()

    def _learn(self, error: BaseException | None) -> None:
        if isinstance(error, CallFailed) and error.kind is FailureKind.BUSY:
            self._limit = max(1, int(self._limit * self._shrink))
            self._round += 1
            self._successes = 0
        elif error is None and self._in_flight >= self._limit:
            self._successes += 1
            if self._successes >= self._limit:
                self._limit = min(self._most, self._limit + 1)
                self._successes = 0


class Place:
    """One caller's place; it waits in the queue on entering."""

    __slots__ = ("_began_s", "_deadline", "_limiter", "_round")

    def __init__(self, limiter: Limiter, deadline: Deadline) -> None:
        self._limiter, self._deadline = limiter, deadline

    async def __aenter__(self) -> None:
        await self._limiter._enter(self._deadline)
        self._round, self._began_s = self._limiter._round, self._limiter._now()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._limiter._exit(self._round, self._limiter._now() - self._began_s, error)


def _overdue(ahead: int, predicted_wait_s: float) -> CallFailed:
    reason = f"the deadline passed in the queue, which had {ahead} callers ahead"
    return CallFailed(FailureKind.BUSY, reason, retry_after_s=predicted_wait_s)
