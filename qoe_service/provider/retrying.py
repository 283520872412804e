"""THE retry loop: the only one in the stack, driven by what is left of the request's time.

SDKs and servers must not retry underneath it: loops within loops multiply, and none of them knows
when the answer stops being of use.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from qoe_service.judges import Deadline
from qoe_service.provider import CallFailed, FailureKind
from qoe_service.provider.breaker import CircuitOpen

T = TypeVar("T")


class GaveUp(CallFailed):
    """The end of trying. Its kind is the last failure's.

    attempts: how many calls were made. out_of_time: whether a later deadline might have helped.
    """

    def __init__(
        self,
        cause: CallFailed,
        why: str,
        *,
        attempts: int,
        spent_s: float,
        deadline: Deadline,
        out_of_time: bool,
    ) -> None:
        calls = "attempt" if attempts == 1 else "attempts"
        super().__init__(
            cause.kind,
            f"{why}, after {attempts} {calls} in {spent_s:.1f} s; last: {cause.reason}",
            retry_after_s=cause.retry_after_s,
        )
        self.attempts, self.spent_s = attempts, spent_s
        self.deadline, self.out_of_time = deadline, out_of_time


@dataclass(frozen=True)
class RetryPolicy:
    """How often to ask and how long to pause.

    Models and their filters decline at random too, and one persona who is not heard costs a
    picture the whole panel: so they are asked once more.

    The pause before attempt n+1 is uniform between nothing and `first_pause_s` * 2^(n-1), at most
    `longest_pause_s` (full jitter: callers that failed together do not come back together).
    """

    most_attempts: int = 6
    most_unreadable_retries: int = 2
    most_refused_retries: int = 1
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0

    def longest_pause_after(self, attempts: int) -> float:
        """The upper end of the pause after so many attempts, in seconds."""
        return float(min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(attempts - 1, 60)))


@dataclass(frozen=True)
class Retrying:
    """Asks again while there is time and hope. Stateless but for its randomness."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    async def until(self, deadline: Deadline, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first answer of `attempt`, which keeps the deadline itself; pauses keep it too.

        Raises:
            GaveUp: if there is none; it says why, after how many attempts, and what came last.
        """
        efforts = _Efforts(self, deadline)
        while True:
            efforts.check_time()
            try:
                return await attempt()
            except CallFailed as failure:
                pause_s = efforts.pause_after(failure)
            await self.sleep(pause_s)


class _Efforts:
    """What one request has tried so far, and whether it should go on."""

    def __init__(self, retrying: Retrying, deadline: Deadline) -> None:
        self._policy, self._now, self._rng = retrying.policy, retrying.now, retrying.rng
        self._deadline = deadline
        self._began_s = self._now()
        self._failures: Counter[FailureKind] = Counter()
        self._last = CallFailed(FailureKind.SLOW, "nothing was asked")

    def check_time(self) -> None:
        """Raises `GaveUp` if none is left."""
        if self._left_s() <= 0:
            raise self._gave_up("the time was up", out_of_time=True) from self._last

    def pause_after(self, failure: CallFailed) -> float:
        """How long to wait before asking again, in seconds. Raises `GaveUp`."""
        self._last = failure
        if isinstance(failure, CircuitOpen):
            raise self._gave_up("nothing was asked of an endpoint that is down") from failure
        self._failures[failure.kind] += 1
        hopeless = self._why_hopeless(failure)
        if hopeless is not None:
            raise self._gave_up(hopeless) from failure
        asked_s, left_s = failure.retry_after_s or 0.0, self._left_s()
        if asked_s >= left_s:
            raise self._gave_up(_no_time(asked_s, left_s), out_of_time=True) from failure
        jitter_s = min(self._policy.longest_pause_after(self._attempts), left_s - asked_s)
        return float(asked_s + self._rng.uniform(0.0, jitter_s))

    def _why_hopeless(self, failure: CallFailed) -> str | None:
        unreadable = self._failures[FailureKind.UNREADABLE]
        refused = self._failures[FailureKind.REFUSED]
        if failure.kind is FailureKind.REJECTED:
            return "asking again changes nothing"
        if unreadable > self._policy.most_unreadable_retries:
            return f"{unreadable} answers could not be read"
        if refused > self._policy.most_refused_retries:
            return f"the model declined {refused} times"
        if self._attempts >= self._policy.most_attempts:
            return "it was tried as often as allowed"
        return None

    @property
    def _attempts(self) -> int:
        return self._failures.total()

    def _left_s(self) -> float:
        return self._deadline.at_s - self._now()

    def _gave_up(self, why: str, *, out_of_time: bool = False) -> GaveUp:
        return GaveUp(
            self._last,
            why,
            attempts=self._attempts,
            spent_s=self._now() - self._began_s,
            deadline=self._deadline,
            out_of_time=out_of_time,
        )


def _no_time(asked_s: float, left_s: float) -> str:
    if left_s <= 0:
        return "the time was up"
    return f"the model asked to be left alone for {asked_s:.1f} s and {left_s:.1f} s are left"
