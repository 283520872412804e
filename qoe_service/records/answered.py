"""What a request asked and what it was answered, as a record holds it. Pure.

Scores are float64 bit for bit: JSON has the shortest digits that read back as the same number. No
number is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple, Self, overload

import numpy as np
from pydantic import AllowInfNan, model_validator

from qoe_service.judges import Case, Failure, Identity, Opinions, Scores
from qoe_service.judges.ladder import Verdicts
from qoe_service.personas import Persona
from qoe_service.schemas import InterviewVerdict, Wire

Row = tuple[Annotated[float, AllowInfNan(False)] | None, ...]
"""One number a persona."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a caller says about one case, save how often it asked before.

    picture: hash of size and pixels. panel: hashes of the personas' content, in order. tier: the
    one that was forced.
    """

    picture: str
    prompt: str
    delay_s: float
    panel: tuple[str, ...]
    tier: str | None


class RecordedJudge(Wire):
    """Which judge it was."""

    tier: str
    name: str
    revision: str
    extraction: str
    calibration: str | None
    prompt: str | None
    interview: InterviewVerdict | None = None

    @classmethod
    def of(cls, judge: Identity) -> Self:
        """What a judge says of itself now: how it is asked may change while it lives."""
        return cls(
            tier=judge.tier,
            name=judge.name,
            revision=judge.revision,
            extraction=judge.extraction,
            calibration=judge.calibration,
            prompt=judge.prompt,
            interview=judge.interview,
        )


class AnsweredCase(Wire):
    """One case and the verdict on it. `reason`: why it was not a better tier's."""

    picture: str
    prompt: str
    delay_s: float
    tier: str
    cached: bool
    failure: Failure | None
    reason: str | None
    scores: Row
    errors: Row


class Recalled(NamedTuple):
    """A verdict that was given before."""

    case: AnsweredCase
    judge: RecordedJudge


class Answered(Wire):
    """One request: a line of a record.

    panel: hashes of the personas' content. tier: the one that was forced. judges: by tier.
    """

    panel: tuple[str, ...]
    tier: str | None
    judges: Mapping[str, RecordedJudge]
    cases: tuple[AnsweredCase, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        size = len(self.panel)
        for case in self.cases:
            if case.tier not in self.judges:
                raise ValueError(f"no judge has the tier {case.tier!r} of a case")
            if not len(case.scores) == len(case.errors) == size:
                raise ValueError(f"a case has not one score and one error for each of {size}")
        return self

    @classmethod
    def of(
        cls, cases: Sequence[Case], panel: Sequence[Persona], tier: str | None, verdicts: Verdicts
    ) -> Self:
        """What is to be written down about a request."""
        judges = {judge.tier: judge for judge in verdicts.judges}
        return cls(
            panel=_hashes(panel),
            tier=tier,
            judges={name: RecordedJudge.of(judge) for name, judge in judges.items()},
            cases=tuple(_answered_case(row, case, verdicts) for row, case in enumerate(cases)),
        )

    def asked(self) -> Iterator[Asked]:
        """What each case asked."""
        for case in self.cases:
            yield Asked(case.picture, case.prompt, case.delay_s, self.panel, self.tier)

    def recalled(self) -> Iterator[Recalled]:
        """What each case was answered."""
        for case in self.cases:
            yield Recalled(case, self.judges[case.tier])


def asked_of(cases: Iterable[Case], panel: Sequence[Persona], tier: str | None) -> list[Asked]:
    """What each case of a request asks."""
    people = _hashes(panel)
    return [Asked(case.picture.sha256, case.prompt, case.delay_s, people, tier) for case in cases]


def verdicts_of(recalled: Sequence[Recalled], panel_size: int) -> Verdicts:
    """The verdicts that were given before, at no cost this time."""
    said = [each.case for each in recalled]
    opinions = Opinions(
        scores=_table([case.scores for case in said], panel_size),
        errors=_table([case.errors for case in said], panel_size),
        failures={row: case.failure for row, case in enumerate(said) if case.failure is not None},
        cached=np.array([case.cached for case in said], dtype=bool),
    )
    judges = tuple(each.judge for each in recalled)
    return Verdicts(opinions, judges, tuple(case.reason for case in said))


def _answered_case(row: int, case: Case, verdicts: Verdicts) -> AnsweredCase:
    opinions = verdicts.opinions
    failure = opinions.failures.get(row)
    return AnsweredCase(
        picture=case.picture.sha256,
        prompt=case.prompt,
        delay_s=case.delay_s,
        tier=verdicts.judges[row].tier,
        cached=bool(opinions.cached[row]),
        failure=None if failure is None else replace(failure, reason=_writable(failure.reason)),
        reason=_writable(verdicts.reasons[row]),
        scores=_row(opinions.scores[row]),
        errors=_row(opinions.errors[row]),
    )


def _hashes(panel: Sequence[Persona]) -> tuple[str, ...]:
    return tuple(persona.content_hash for persona in panel)


def _row(numbers: Scores) -> Row:
    return tuple(None if number != number else number for number in numbers.tolist())


def _table(rows: Sequence[Row], columns: int) -> Scores:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)


@overload
def _writable(text: str) -> str: ...
@overload
def _writable(text: None) -> None: ...
def _writable(text: str | None) -> str | None:
    """Half a surrogate pair, which a model's words may hold, has no place in a file."""
    return None if text is None else text.encode(errors="backslashreplace").decode()
