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
        self._room = concurrent + waiting
        self._inside = 0

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """The result of `work()`, done in a thread; a 429 problem if too many wait already."""
        if self._inside >= self._room:
            raise ProblemError(
                429,
                f"{self._inside} requests are being judged or wait; this service takes no more; "
                "try again in a second.",
                headers={"Retry-After": "1"},
            )
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
