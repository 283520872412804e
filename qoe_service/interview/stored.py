"""The file of verdicts: which judge was interviewed, and what came of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from qoe_service.errors import QoEError
from qoe_service.judges.tier_map_file import JudgeIdentity
from qoe_service.kept_file import read_kept, replace_kept
from qoe_service.schemas import InterviewVerdict
from qoe_service.wire import Wire


class InterviewFileError(QoEError):
    """The file of interviews cannot be read; the text names it and says what to do."""


class StoredInterview(Wire):
    """What came of the last interview of a judge that said something."""

    judge: JudgeIdentity
    verdict: InterviewVerdict
    reasons: tuple[str, ...]
    instrument: str
    template: str
    personas: int
    day: date


class Interviews(Wire):
    """What the file holds."""

    version: Literal[1] = 1
    interviews: tuple[StoredInterview, ...] = ()

    def of(self, judge: JudgeIdentity) -> StoredInterview | None:
        """The interview of this very judge."""
        for stored in self.interviews:
            if stored.judge.difference(judge) is None:
                return stored
        return None

    def verdict(self, judge: JudgeIdentity) -> InterviewVerdict | None:
        """What came of it, if it was interviewed."""
        found = self.of(judge)
        return None if found is None else found.verdict

    def including(self, new: StoredInterview) -> Interviews:
        """These and a new one, which replaces that of the same judge."""
        kept = (old for old in self.interviews if old.judge.difference(new.judge))
        return Interviews(interviews=(*kept, new))


def read_interviews(path: Path | None) -> Interviews:
    """The interviews in a file; none if there is no file.

    Raises:
        InterviewFileError: if it cannot be read, or holds anything else.
    """
    return read_kept(
        path,
        Interviews,
        what="the interviews of QOE_INTERVIEWS",
        remedy="qoe personas interview",
        error=InterviewFileError,
    )


def store_interview(path: Path, new: StoredInterview) -> None:
    """Put an interview into the file beside those of other judges; readers see the old or the new.

    Raises:
        InterviewFileError: if what is there cannot be read.
        OSError: if it cannot be written.
    """
    text = read_interviews(path).including(new).model_dump_json(indent=1)
    replace_kept(path, text)
