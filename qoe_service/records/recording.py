"""Answering, and writing down what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qoe_service.judges import Case, Deadline, run_of
from qoe_service.judges.ladder import Bench, Verdicts
from qoe_service.personas import Persona
from qoe_service.records.answered import Answered, verdicts_of
from qoe_service.records.run_file import append, path_of
from qoe_service.schemas import JudgeInfo


class Recording:
    """A bench whose verdicts are kept in a folder, a file a run. Thread-safe, as the bench is.

    What is answered is what was written, read back: a replay cannot answer anything else.

    Raises:
        OSError: if the folder cannot be made.
    """

    def __init__(self, bench: Bench, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._bench, self._folder = bench, folder

    def verdicts(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        *,
        tier: str | None,
        deadline: Deadline,
    ) -> Verdicts:
        """What the bench says, once it is on record.

        Raises:
            UnknownTier: if the bench does not have the tier; that is not recorded.
            UnusableRecord: if it could not be written down: a record with holes is none.
        """
        given = self._bench.verdicts(cases, panel, tier=tier, deadline=deadline)
        answered = Answered.of(cases, panel, tier, given)
        if cases:
            run = run_of(cases)
            append(path_of(self._folder, run), run, answered)
        recorded = verdicts_of(tuple(answered.recalled()), len(panel))
        cost = replace(
            recorded.opinions, forwards=given.opinions.forwards, tokens=given.opinions.tokens
        )
        return replace(recorded, opinions=cost)

    def reading_until(self, deadline: Deadline) -> Deadline:
        """For ever: a picture that came too late is on record too, so it has to be known."""
        del deadline
        return Deadline()

    def infos(self) -> tuple[JudgeInfo, ...]:
        """Those of the bench."""
        return self._bench.infos()

    def close(self) -> None:
        """Close the bench; what was answered is written already."""
        self._bench.close()
