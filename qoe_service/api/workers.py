"""Threads for the synchronous scorer, so that the event loop never waits for a judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from qoe_service.api.errors import ProblemError

Answer = TypeVar("Answer")


class Workers:
    """Runs at most `concurrent` pieces of work at a time, with at most `waiting` in line.

    Whoever comes when the line is full is told so at once (429): a caller can wait, or go
    elsewhere, but should not be kept for minutes without knowing.
    """

    def __init__(self, concurrent: int, waiting: int) -> None:
        self._limiter = anyio.CapacityLimiter(concurrent)
        self._waiting = waiting

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """The result of `work()`, done in a thread; a 429 problem if too many wait already."""
        self._refuse_if_full()
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    def _refuse_if_full(self) -> None:
        line = self._limiter.statistics()
        if line.borrowed_tokens >= line.total_tokens and line.tasks_waiting >= self._waiting:
            raise ProblemError(
                429,
                f"{line.tasks_waiting} requests wait already; QOE_WAITING_REQUESTS allows no more.",
                headers={"Retry-After": "1"},
            )
