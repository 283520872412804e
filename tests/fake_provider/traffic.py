"""What reached the fake provider: how often, how many at once, which questions more than once."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fake_provider.misbehaviour import Misbehaviour
from tests.fake_provider.reading import Reading

READINGS_KEPT = 256


@dataclass(frozen=True)
class TrafficReport:
    """Counts since the start, or since traffic was forgotten.

    requests: calls that arrived, whatever became of them.
    answered: calls answered well; counted, as statuses are, when the reply begins to go out.
    questions: how often each distinct question (equal bytes) was asked, by its digest.
    answers: how often each of them was answered well; above 1 the client paid twice.
    highest_concurrency: the most calls in flight at once.
    over_limit: calls refused because there were too many in flight.
    left: calls whose client left before the answer was out.
    statuses: replies begun, by HTTP status; a call that hung until its client left has none.
    arrivals_s: when each call came, in seconds after the first.
    """

    requests: int
    answered: int
    questions: dict[str, int]
    answers: dict[str, int]
    highest_concurrency: int
    in_flight: int
    over_limit: int
    left: int
    statuses: dict[str, int]
    misbehaved: dict[str, int]
    arrivals_s: tuple[float, ...]

    @property
    def distinct_questions(self) -> int:
        """How many different questions were asked."""
        return len(self.questions)

    @property
    def answered_again(self) -> int:
        """Good answers to questions that had had one: 0 with single flight and a cache."""
        return self.answered - len(self.answers)


class Traffic:
    """Counts calls as they come and go. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._in_flight = self._highest = 0
        self._forget()

    def arrives(self) -> int:
        """A call came in; how many are in flight, this one included."""
        with self._lock:
            self._arrivals.append(self._now())
            self._in_flight += 1
            self._highest = max(self._highest, self._in_flight)
            return self._in_flight

    def leaves(self) -> None:
        """A call is over."""
        with self._lock:
            self._in_flight -= 1

    def asked(self, question: str) -> int:
        """A question was put; how often it was before."""
        with self._lock:
            self._questions[question] += 1
            return self._questions[question] - 1

    def read(self, reading: Reading) -> None:
        """A question was understood so."""
        with self._lock:
            self._readings.append(reading)

    def misbehaves(self, kind: Misbehaviour) -> None:
        """A call goes wrong on purpose."""
        with self._lock:
            self._misbehaved[kind.value] += 1

    def refuses(self) -> None:
        """A call was one too many."""
        with self._lock:
            self._over_limit += 1

    def replied(self, status: int) -> None:
        """A reply goes out, or as much of it as is meant to."""
        with self._lock:
            self._statuses[str(status)] += 1

    def answered(self, question: str) -> None:
        """A question is answered well."""
        with self._lock:
            self._answers[question] += 1

    def deserted(self) -> None:
        """A client left without its answer."""
        with self._lock:
            self._left += 1

    def report(self) -> TrafficReport:
        """The counts so far."""
        with self._lock:
            first = self._arrivals[0] if self._arrivals else 0.0
            return TrafficReport(
                requests=len(self._arrivals),
                answered=self._answers.total(),
                questions=dict(self._questions),
                answers=dict(self._answers),
                highest_concurrency=self._highest,
                in_flight=self._in_flight,
                over_limit=self._over_limit,
                left=self._left,
                statuses=dict(self._statuses),
                misbehaved=dict(self._misbehaved),
                arrivals_s=tuple(at - first for at in self._arrivals),
            )

    def readings(self) -> tuple[Reading, ...]:
        """How the latest questions were understood, oldest first."""
        with self._lock:
            return tuple(self._readings)

    def forget(self) -> None:
        """Count from zero; calls in flight stay in flight."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._arrivals: list[float] = []
        self._questions: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._misbehaved: Counter[str] = Counter()
        self._readings: deque[Reading] = deque(maxlen=READINGS_KEPT)
        self._highest = self._in_flight
        self._over_limit = self._left = 0
