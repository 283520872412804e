"""Asking a judge that remembers nothing: neither what it once said, nor what it said just now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.judges import Case, Deadline, Failure, Judge
from qoe_service.judges.build import build_ladder
from qoe_service.personas import Persona
from qoe_service.schemas import Status
from qoe_service.settings import Settings

Scores = NDArray[np.float64]


@contextmanager
def fresh_judge(settings: Settings, tier: str) -> Iterator[Judge]:
    """The judge of a tier as the settings describe it, with an empty memory and none on disk.

    Raises:
        UnknownTier: if no judge has this tier.
    """
    changes = {"tiers": (tier,), "cache": None, "calibration": None}  # nor on another's scale
    ladder = build_ladder(settings.model_copy(update=changes))
    try:
        yield ladder.judge(tier)
    finally:
        ladder.close()


DECLINES = frozenset({Status.OUT_OF_DOMAIN, Status.REFUSED})
"""A judge that says so has noticed that it had better not judge."""


@dataclass(frozen=True)
class Hearing:
    """What a panel of P said about N cases, and at what cost."""

    scores: Scores
    """(N, P), NaN where there is no opinion."""
    errors: Scores
    """(N, P), likewise."""
    failures: tuple[Failure, ...]
    calls: int
    tokens: int

    @property
    def declined(self) -> bool:
        """Whether all that was not judged was declined, and did not fail."""
        return all(failure.status in DECLINES for failure in self.failures)

    @property
    def reason(self) -> str:
        """Why something was not judged; empty if all was."""
        return self.failures[0].reason if self.failures else ""


def hear(judge: Judge, cases: Sequence[Case], panel: Sequence[Persona], seconds: float) -> Hearing:
    """Have cases judged in one request."""
    found = judge.opinions(cases, panel, Deadline.after_ms(int(1_000 * seconds)))
    failures = tuple(found.failures.values())
    return Hearing(found.scores, found.errors, failures, found.forwards, found.tokens)


def hear_alone(
    judge: Judge, cases: Sequence[Case], panel: Sequence[Persona], seconds: float
) -> Hearing:
    """Have each case judged by each person in a request of its own."""
    heard = [[hear(judge, [case], [persona], seconds) for persona in panel] for case in cases]
    flat = [one for row in heard for one in row]
    return Hearing(
        scores=np.array([[one.scores[0, 0] for one in row] for row in heard]),
        errors=np.array([[one.errors[0, 0] for one in row] for row in heard]),
        failures=tuple(failure for one in flat for failure in one.failures),
        calls=sum(one.calls for one in flat),
        tokens=sum(one.tokens for one in flat),
    )
