"""Requests to record, and benches that answer them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure, Opinions
from qoe_service.judges.ladder import Ladder, Verdicts
from qoe_service.personas import Persona, Registry
from qoe_service.records.recording import Recording
from qoe_service.records.replay import Replay
from qoe_service.schemas import Status

PANEL = Registry().all()[:3]
PICTURES = tuple(
    Picture(np.full((16, 16, 3), shade, dtype=np.uint8)) for shade in range(0, 250, 10)
)


class Moody:
    """Likes each picture better than the one before, and cannot judge those it is told not to."""

    tier, name, revision, extraction, calibration = "vlm", "moody", "1", "mood", None
    prompt = "judge-image@1.0.0+abc"
    interview = "fails"

    def __init__(self, fails_on: str = "nothing") -> None:
        self._fails_on, self._judged = fails_on, 0
        self._lock = threading.Lock()

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        with self._lock:
            first, self._judged = self._judged, self._judged + len(cases)
        scores = 1 + 4 / (1 + np.exp(-np.arange(first, first + len(cases)) / 7))
        table = np.repeat(scores[:, None], len(panel), axis=1) / np.arange(1, 1 + len(panel)) ** 0.1
        failures = {
            row: Failure(Status.REFUSED, f"{case.prompt} is refused")
            for row, case in enumerate(cases)
            if self._fails_on in case.prompt
        }
        table[list(failures)] = np.nan
        cached = np.arange(len(cases)) % 2 == 0
        return Opinions(table, table / 9, failures, cached, forwards=7, tokens=700)

    def check(self) -> None: ...

    def close(self) -> None: ...


def case(shade: int, prompt: str = "a dog", run: str | None = None, delay_s: float = 0.0) -> Case:
    return Case(PICTURES[shade], prompt, delay_s=delay_s, run_id=run)


def ask(
    bench: Recording | Replay | Ladder,
    *cases: Case,
    panel: Sequence[Persona] = PANEL,
    tier: str | None = None,
) -> Verdicts:
    return bench.verdicts(cases, panel, tier=tier, deadline=Deadline())


def recorded(folder: Path, fails_on: str = "nothing") -> Recording:
    return Recording(Ladder([Moody(fails_on)]), folder)


def told(verdicts: Verdicts) -> list[object]:
    """All that a reply tells of verdicts, bit for bit, save what they cost."""
    opinions = verdicts.opinions
    return [
        opinions.scores.tobytes(),
        opinions.errors.tobytes(),
        dict(opinions.failures),
        opinions.cached.tolist(),
        verdicts.judges,
        verdicts.reasons,
    ]
