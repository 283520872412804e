"""A circuit breaker: an endpoint that does not answer is not asked for a while.

Closed, calls go through. After several failures in a row it opens and calls fail at once. When its
time is over it is half open: one call goes through to see, the others still fail. If that fails too
it stays open for twice as long: a short absence is soon over, a long one costs few calls. Only
what speaks of a dead endpoint counts (BROKEN and SLOW); a 429, a 4xx or a strange answer came from
a live one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from qoe_service.provider import CallFailed, FailureKind

COUNTED = frozenset({FailureKind.BROKEN, FailureKind.SLOW})
"""The failures that may open a breaker."""


class Circuit(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitOpen(CallFailed):
    """Nothing was asked, because the endpoint does not answer. `retry_after_s` says until when."""

    def __init__(self, reason: str, retry_after_s: float) -> None:
        super().__init__(FailureKind.BROKEN, reason, retry_after_s=retry_after_s)


class Breaker:
    """The breaker of one tier and endpoint, for one event loop.

    Args:
        name: the tier and endpoint, as messages call it.
        failures: so many in a row open it.
        open_s: for how long, at first.
        longest_open_s: for how long at most.
        patience_s: a call that was given up sooner says nothing of the endpoint: callers with
            hardly any time must not close it to those who have some.
        now: monotonic clock, in seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 8,
        open_s: float = 1.0,
        longest_open_s: float = 10.0,
        patience_s: float = 2.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if failures < 1:
            raise ValueError(f"a breaker opens after at least one failure, got {failures}")
        self.name, self.patience_s = name, patience_s
        self._failures, self._now = failures, now
        self._first_open_s, self._longest_open_s = open_s, max(open_s, longest_open_s)
        self._open_s = open_s
        self._in_a_row = 0
        self._opens_until_s: float | None = None
        self._probing = False
        self._era = 0
        self._counts: Counter[str] = Counter()

    @property
    def state(self) -> Circuit:
        """Whether calls go through now."""
        if self._opens_until_s is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self._now() < self._opens_until_s else Circuit.HALF_OPEN

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls by outcome since the start: `success`, a `FailureKind`, `cancelled`, `other`,
        `short_circuited` (not made), and `opened`, how often it opened."""
        return dict(self._counts)

    def check(self) -> None:
        """Raises `CircuitOpen` if a call made now would not go through."""
        if self._opens_until_s is None:
            return
        left_s = self._opens_until_s - self._now()
        if left_s > 0:
            self._refuse(f"it is asked again in {left_s:.1f} s", left_s)
        if self._probing:
            self._refuse("one call is finding out whether it is back", self._open_s)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call to the endpoint: learns how it ended. Raises `CircuitOpen`."""
        self.check()
        era, began_s = self._era, self._now()
        self._probing = self._opens_until_s is not None
        try:
            yield
        except CallFailed as failure:
            self._end(era, failure.kind.value, alive=False, dead=self._is_dead(failure, began_s))
            raise
        except asyncio.CancelledError:
            self._end(era, "cancelled", alive=False, dead=self._now() - began_s >= self.patience_s)
            raise
        except BaseException:
            self._end(era, "other", alive=False, dead=False)
            raise
        self._end(era, "success", alive=True, dead=False)

    def _is_dead(self, failure: CallFailed, began_s: float) -> bool:
        hasty = self._now() - began_s < self.patience_s
        return failure.kind in COUNTED and not (failure.kind is FailureKind.SLOW and hasty)

    def _end(self, era: int, outcome: str, *, alive: bool, dead: bool) -> None:
        self._counts[outcome] += 1
        if era != self._era:  # it began before the breaker changed: old news
            return
        self._probing = False
        if alive:
            self._close()
        elif dead:
            self._in_a_row += 1
            if self._opens_until_s is not None or self._in_a_row >= self._failures:
                self._open()

    def _close(self) -> None:
        self._in_a_row = 0
        if self._opens_until_s is not None:
            self._opens_until_s, self._open_s = None, self._first_open_s
            self._era += 1

    def _open(self) -> None:
        self._in_a_row = 0
        if self._opens_until_s is not None:
            self._open_s = min(2 * self._open_s, self._longest_open_s)
        self._opens_until_s = self._now() + self._open_s
        self._era += 1
        self._counts["opened"] += 1

    def _refuse(self, until: str, retry_after_s: float) -> None:
        self._counts["short_circuited"] += 1
        raise CircuitOpen(f"{self.name} does not answer; {until}", retry_after_s)
