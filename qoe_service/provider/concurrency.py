"""As many calls at a time as the other side bears: more while it copes, fewer when it says 429.

The limit shrinks in proportion to the share of calls that were refused, as DCTCP's window does by
the share of marked packets (Alizadeh et al. 2010): of a round, as many calls as there are places,
a share F refused takes F/2 of the places. DCTCP learns of its marks a round late and smooths them;
here every refusal takes its half place at once, which never lets the same excess be refused again.
A round without refusals adds a place. So refusals at random, a share p of all calls, leave
2 (1 - p) / p places: 64 at 3 %. Of what is above a hard limit, half goes in every round.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType

from qoe_service.judges import Deadline
from qoe_service.provider import CallFailed, FailureKind

REFUSAL_COSTS = 0.5
"""Places that a 429 takes."""

LEAST_WEIGHT = 0.02
"""Of the latest in the running mean of service times: one call that hung must not decide it."""


class Limiter:
    """Places for calls to one endpoint, given out first come first served on one event loop.

    Only successes that ended while every place was taken make it grow: an idle limiter has learned
    nothing.

    Args:
        start: places at first.
        most: places at most.
        now: monotonic clock, in seconds.
    """

    def __init__(
        self,
        *,
        start: int = 16,
        most: int = 64,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 1 <= start <= most:
            raise ValueError(f"the limit starts between 1 and {most}, got {start}")
        self._size, self._most = float(start), most
        self._now = now
        self._in_flight = 0
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._ended = 0
        self._mean_service_s = 0.0

    @property
    def limit(self) -> int:
        """Places there are now."""
        return int(self._size)

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
        return self._mean_service_s

    @property
    def predicted_wait_s(self) -> float:
        """How long the queue will take: its length times the mean service time over the limit."""
        return len(self._queue) * self.mean_service_s / self.limit

    def place(self, deadline: Deadline) -> Place:
        """`async with limiter.place(deadline):` around a call.

        Raises:
            CallFailed: BUSY, if the deadline passes in the queue.
        """
        return Place(self, deadline)

    async def _enter(self, deadline: Deadline) -> None:
        if self._in_flight < self.limit:  # nobody waits while there are places
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
        while self._queue and self._in_flight < self.limit:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def _exit(self, service_s: float, error: BaseException | None) -> None:
        self._learn(error)
        self._in_flight -= 1
        self._ended += 1
        weight = max(1 / self._ended, LEAST_WEIGHT)
        self._mean_service_s += weight * (service_s - self._mean_service_s)
        self._admit()

    def _learn(self, error: BaseException | None) -> None:
        if isinstance(error, CallFailed) and error.kind is FailureKind.BUSY:
            self._size = max(1.0, self._size - REFUSAL_COSTS)
        elif error is None and self._in_flight >= self.limit:
            self._size = min(self._most, self._size + 1 / self.limit)


class Place:
    """One caller's place; it waits in the queue on entering."""

    __slots__ = ("_began_s", "_deadline", "_limiter")

    def __init__(self, limiter: Limiter, deadline: Deadline) -> None:
        self._limiter, self._deadline = limiter, deadline

    async def __aenter__(self) -> None:
        await self._limiter._enter(self._deadline)
        self._began_s = self._limiter._now()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._limiter._exit(self._limiter._now() - self._began_s, error)


def _overdue(ahead: int, predicted_wait_s: float) -> CallFailed:
    reason = f"the deadline passed in the queue, which had {ahead} callers ahead"
    return CallFailed(FailureKind.BUSY, reason, retry_after_s=predicted_wait_s)
