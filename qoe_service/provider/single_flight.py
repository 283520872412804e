"""Equal questions that are in the air at the same time share one call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class SingleFlight(Generic[T]):
    """Calls by key, on one event loop. Nothing is kept once a call has ended, well or badly.

    The call runs in a task of its own: a waiter that is cancelled leaves the others theirs, and
    the last to leave takes the call with it.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}
        self._shared = 0

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self._flights)

    @property
    def shared(self) -> int:
        """How many waiters were spared a call of their own."""
        return self._shared

    async def run(self, key: str, call: Callable[[], Awaitable[T]]) -> T:
        """What the call in the air under this key returns or raises; `call` if there is none."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, call)
        else:
            self._shared += 1
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()

    def _start(self, key: str, call: Callable[[], Awaitable[T]]) -> _Flight[T]:
        async def fly() -> T:
            try:
                return await call()
            finally:
                self._forget(key, flight)

        flight = _Flight(asyncio.get_running_loop().create_task(fly()))
        self._flights[key] = flight
        return flight

    def _forget(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
