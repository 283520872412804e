"""Threads for the synchronous scorer, so that the event loop never waits for a judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from qoe_service.errors import Overloaded
from qoe_service.judges import Deadline

Answer = TypeVar("Answer")

FOR_EVER = Deadline()

WEIGHT_OF_THE_LATEST = 0.1
"""In the running mean of what a piece of work takes."""


class Workers:
    """Runs at most `concurrent` pieces of work at a time, with at most `waiting` in line.

    Whoever comes when the line is full, or so long that his time will be up before it is his turn,
    is told so at once: a caller can wait, or go elsewhere, but should not be kept for minutes
    without knowing.
    """

    def __init__(self, concurrent: int, waiting: int) -> None:
        self._places = anyio.Semaphore(concurrent)
        self._threads = anyio.CapacityLimiter(concurrent)
        self._concurrent, self._room = concurrent, concurrent + waiting
        self._inside = 0
        self._mean_s = 0.0

    @property
    def predicted_wait_s(self) -> float:
        """How long whoever comes now will stand in line."""
        ahead = max(0, self._inside - self._concurrent + 1)
        return ahead * self._mean_s / self._concurrent

    async def run(self, work: Callable[[], Answer], deadline: Deadline = FOR_EVER) -> Answer:
        """The result of `work()`, done in a thread.

        Raises:
            Overloaded: if the line is full, or takes longer than until the deadline.
        """
        self._check_line(deadline)
        self._inside += 1
        try:
            await self._turn(deadline)
            try:
                return await self._done(work)
            finally:
                self._places.release()
        finally:
            self._inside -= 1

    def _check_line(self, deadline: Deadline) -> None:
        if self._inside >= self._room:
            raise Overloaded(
                f"{self._inside} requests are being judged or wait; this service takes no more",
                self._mean_s / self._concurrent,
            )
        late = deadline.too_soon_for(self.predicted_wait_s)
        if late is not None:
            raise Overloaded(
                f"{self._inside} requests are before this: {late.reason}", late.retry_after_s or 0.0
            )

    async def _turn(self, deadline: Deadline) -> None:
        with anyio.move_on_after(deadline.left_s) as waiting:
            await self._places.acquire()
        if waiting.cancelled_caught:
            raise Overloaded(
                "the time was up before it was this request's turn", self.predicted_wait_s
            )

    async def _done(self, work: Callable[[], Answer]) -> Answer:
        began_s = time.monotonic()
        answer = await anyio.to_thread.run_sync(work, limiter=self._threads)
        took_s = time.monotonic() - began_s
        weight = WEIGHT_OF_THE_LATEST if self._mean_s else 1.0
        self._mean_s += weight * (took_s - self._mean_s)
        return answer
