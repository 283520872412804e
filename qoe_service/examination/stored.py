"""What judges said of the golden set before: shipped for our own, kept in a file for others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from qoe_service.errors import QoEError
from qoe_service.examination.figures import Array
from qoe_service.examination.golden import FOLDER, GoldenSet
from qoe_service.examination.hearing import Hearing
from qoe_service.judges.calibration import Frozen
from qoe_service.judges.tier_map_file import JudgeIdentity
from qoe_service.kept_file import read_kept, replace_kept

SHIPPED_FILE = "golden.json"

DIGITS = 4


class GoldenFileError(QoEError):
    """A file of golden values cannot be read; the text names it and says what to do."""


class Said(Frozen):
    """What the people said of one case; `None` if the judge gave no opinion."""

    fingerprint: str
    scores: tuple[float, ...] | None
    errors: tuple[float, ...] | None


class GoldenValues(Frozen):
    """What one judge said of the set, case by case."""

    judge: JudgeIdentity
    extraction: str
    cases: dict[str, Said]

    def scores_of(self, golden: GoldenSet) -> Array:
        """(N, P), NaN where there was no opinion or the case was another one."""
        return np.array([_row(said.scores, golden) for said in self._same(golden)])

    def errors_of(self, golden: GoldenSet) -> Array:
        """(N, P), likewise."""
        return np.array([_row(said.errors, golden) for said in self._same(golden)])

    def changed(self, golden: GoldenSet) -> list[str]:
        """The cases that are drawn, asked or judged by people otherwise than then."""
        now = golden.fingerprints()
        return [
            name for name, mark in now.items() if self.cases.get(name, NOTHING).fingerprint != mark
        ]

    def _same(self, golden: GoldenSet) -> list[Said]:
        changed = set(self.changed(golden))
        return [NOTHING if case.name in changed else self.cases[case.name] for case in golden.cases]


NOTHING = Said(fingerprint="", scores=None, errors=None)


def _row(values: tuple[float, ...] | None, golden: GoldenSet) -> list[float]:
    return [float("nan")] * len(golden.people) if values is None else list(values)


class GoldenFile(Frozen):
    """What a file holds."""

    version: Literal[1] = 1
    judges: tuple[GoldenValues, ...] = ()

    def of(self, judge: JudgeIdentity) -> GoldenValues | str:
        """The values of this judge, or why there are none."""
        why_not = "nothing is stored for this judge"
        for values in self.judges:
            if values.judge.tier != judge.tier:
                continue
            difference = values.judge.difference(judge)
            if difference is None:
                return values
            why_not = f"nothing is stored for this judge: {difference}"
        return why_not

    def including(self, new: Sequence[GoldenValues]) -> GoldenFile:
        """These values and new ones, which replace those of the same judges."""
        kept = (old for old in self.judges if all(old.judge.difference(n.judge) for n in new))
        return GoldenFile(judges=(*kept, *new))


def values_of(
    judge: JudgeIdentity, extraction: str, golden: GoldenSet, heard: Hearing
) -> GoldenValues:
    """What a judge said just now, to be stored."""
    marks = golden.fingerprints()
    rows = zip(golden.cases, heard.scores, heard.errors, strict=True)
    cases = {
        case.name: Said(
            fingerprint=marks[case.name], scores=_stored(scores), errors=_stored(errors)
        )
        for case, scores, errors in rows
    }
    return GoldenValues(judge=judge, extraction=extraction, cases=cases)


def _stored(values: Array) -> tuple[float, ...] | None:
    return None if np.isnan(values).any() else tuple(np.round(values, DIGITS).tolist())


def shipped_values() -> GoldenFile:
    """What comes with the package."""
    text = (FOLDER / SHIPPED_FILE).read_text(encoding="utf-8")
    return GoldenFile.model_validate_json(text)


def read_golden_file(path: Path | None) -> GoldenFile:
    """The values in a file; none if there is no file.

    Raises:
        GoldenFileError: if it cannot be read, or holds anything else.
    """
    return read_kept(
        path,
        GoldenFile,
        what="the golden values",
        remedy="qoe judges check --accept",
        error=GoldenFileError,
    )


def store_golden_values(path: Path, new: Sequence[GoldenValues]) -> None:
    """Put values into the file beside those of other judges; readers see the old or the new.

    Raises:
        GoldenFileError: if what is there cannot be read.
        OSError: if it cannot be written.
    """
    write_golden_file(path, read_golden_file(path).including(new))


def write_golden_file(path: Path, content: GoldenFile) -> None:
    """Put this in place of the file; readers see the old or the new. Raises `OSError`."""
    replace_kept(path, content.model_dump_json())
