"""Answering from the record of a run alone, as it was answered then. No judge is built."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from qoe_service.errors import NoRecord, UnusableRecord
from qoe_service.judges import Case, Deadline, run_of
from qoe_service.judges.ladder import Verdicts
from qoe_service.personas import Persona
from qoe_service.records.answered import asked_of, verdicts_of
from qoe_service.records.recorded_run import RecordedRun
from qoe_service.records.run_file import VERSION, read, runs_in
from qoe_service.schemas import JudgeInfo


class Replay:
    """The records of a folder. A run is read when it is first asked for. Thread-safe.

    Raises:
        UnusableRecord: if there are none, or one is of another version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths = _runs(folder)
        self._runs: dict[str, RecordedRun] = {}
        self._lock = threading.Lock()

    def verdicts(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        *,
        tier: str | None,
        deadline: Deadline,
    ) -> Verdicts:
        """What was said of these cases then; a request that lacks one is not answered at all.

        Raises:
            NoRecord: naming the first case without a verdict, and why it has none.
            UnusableRecord: if the run's file is damaged.
        """
        del deadline  # whatever was too late then is too late again, and nothing else
        if not cases:
            return verdicts_of((), len(panel))
        asked = asked_of(cases, panel, tier)
        people = ", ".join(persona.id for persona in panel)
        return verdicts_of(self._run(run_of(cases)).recall(asked, people), len(panel))

    def reading_until(self, deadline: Deadline) -> Deadline:
        """For ever: what was in time then is in time again."""
        del deadline
        return Deadline()

    def infos(self) -> tuple[JudgeInfo, ...]:
        """One rung, the folder."""
        reason = None
        try:
            _runs(self._folder)
        except UnusableRecord as error:
            reason = str(error)
        return (
            JudgeInfo(
                tier="replay",
                judge=str(self._folder),
                revision=f"format {VERSION}",
                ready=reason is None,
                reason=reason,
            ),
        )

    def close(self) -> None:
        """Nothing is open."""

    def _run(self, run: str) -> RecordedRun:
        if run not in self._paths:
            known = ", ".join(map(repr, self._paths))
            raise NoRecord(
                f"{self._folder} has no record of run {run!r}; it has {known}: ask with one of "
                "these as run_id, or record the run"
            )
        with self._lock:
            if run not in self._runs:
                self._runs[run] = RecordedRun(run, self._paths[run], read(self._paths[run]))
            return self._runs[run]


def _runs(folder: Path) -> dict[str, Path]:
    runs = runs_in(folder)
    if not runs:
        raise UnusableRecord(f"{folder} has no record of any run; make one with QOE_RECORD")
    return runs
