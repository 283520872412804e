"""Which questions a request comes down to, and what its answers make together. Pure: asks nobody.

Equal questions are one: a picture that stands in a request twice is asked about once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qoe_service.cache import Vector
from qoe_service.judges import Case, Failure, Opinions
from qoe_service.judges.extraction import Reading, merge_samples
from qoe_service.judges.opinion_store import Keys
from qoe_service.judges.perception import Percept
from qoe_service.judges.probe import Manner
from qoe_service.judges.questions import Asking
from qoe_service.personas import Persona
from qoe_service.provider import Question
from qoe_service.schemas import Status

GRAVEST_FIRST = (
    Status.OVER_BUDGET,
    Status.JUDGE_UNAVAILABLE,
    Status.DEADLINE,
    Status.REFUSED,
    Status.UNREADABLE_ANSWER,
)
"""Which of a panel's failures is its status: a stop is a stop, whatever else went wrong."""

NOT_HEARD = Failure(Status.DEADLINE, "the deadline passed before the answer came")

Cell = tuple[str, ...]
"""The keys of one persona's opinion of one case, one a sample."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that may have to be asked; `percept` has the pictures that go with it."""

    key: str
    question: Question
    percept: Percept


class Learner(Protocol):
    """Whoever is told what comes of questions, as it comes."""

    def learn(self, key: str, answer: Vector | Failure) -> None:
        """What came of a question."""
        ...


class Inquiry:
    """What a panel of P is asked about N cases, and what is known of the answers."""

    def __init__(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        percepts: Sequence[Percept | Failure],
        *,
        asking: Asking,
        keys: Keys,
        manner: Manner,
    ) -> None:
        self._panel, self._manner = panel, manner
        self._asking, self._key_of = asking, keys.of
        self._asks: dict[str, Ask] = {}
        self._questions: dict[tuple[object, ...], Question] = {}
        self._unseen = {row: it for row, it in enumerate(percepts) if isinstance(it, Failure)}
        self._rows: list[list[Cell]] = [
            [] if isinstance(percept, Failure) else self._row(case, percept)
            for case, percept in zip(cases, percepts, strict=True)
        ]
        self._known: dict[str, Vector] = {}
        self._failed: dict[str, Failure] = {}
        self._asked: tuple[str, ...] = ()
        self._cached = np.zeros(len(cases), dtype=bool)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of all questions."""
        return tuple(self._asks)

    def missing(self, known: Mapping[str, Vector]) -> tuple[Ask, ...]:
        """What has to be asked, if so much is known from before."""
        self._known.update(known)
        for index, row in enumerate(self._rows):
            cached = all(key in known for cell in row for key in cell)
            self._cached[index] = cached and index not in self._unseen
        self._asked = tuple(key for key in self._asks if key not in known)
        return tuple(self._asks[key] for key in self._asked)

    def learn(self, key: str, answer: Vector | Failure) -> None:
        """What came of a question."""
        if isinstance(answer, Failure):
            self._failed[key] = answer
        else:
            self._known[key] = answer

    def fail_rest(self, failure: Failure) -> None:
        """Nothing more will come, for this reason."""
        for key in self._asks:
            if key not in self._known:
                self._failed.setdefault(key, failure)

    @property
    def nothing_was_readable(self) -> bool:
        """Whether answers came, and none of them could be read."""
        return bool(self._failed) and all(
            key in self._failed and self._failed[key].status is Status.UNREADABLE_ANSWER
            for key in self._asked
        )

    def opinions(self, *, forwards: int, tokens: int) -> Opinions:
        """The opinions of all cases on which the whole panel was heard."""
        failures = self._unseen | self._failures()
        good = [row for row in range(len(self._rows)) if row not in failures]
        scores = np.full((len(self._rows), len(self._panel)), np.nan)
        errors = scores.copy()
        if good:
            heard = self._heard([self._rows[row] for row in good])
            scores[good], errors[good] = heard[..., 0], heard[..., 1]
        return Opinions(scores, errors, failures, self._cached, forwards, tokens)

    def _row(self, case: Case, percept: Percept) -> list[Cell]:
        return [self._cell(case, percept, column) for column in range(len(self._panel))]

    def _cell(self, case: Case, percept: Percept, column: int) -> Cell:
        keys = []
        for sample in range(self._manner.samples):
            question = self._question(column, case, percept.description, sample)
            key = self._key_of(question, percept.identity)
            if key not in self._asks:
                self._asks[key] = Ask(key, question, percept)
            keys.append(key)
        return tuple(keys)

    def _question(self, column: int, case: Case, description: str, sample: int) -> Question:
        """Pictures of one wish are asked about in the same words, which are put together once."""
        said = (column, case.prompt, case.delay_s, description, sample)
        question = self._questions.get(said)
        if question is None:
            question = self._questions[said] = self._asking.question(
                self._panel[column],
                wish=case.prompt,
                waited_s=case.delay_s,
                description=description,
                sample=sample,
            )
        return question

    def _failures(self) -> dict[int, Failure]:
        failures: dict[int, Failure] = {}
        for index, row in enumerate(self._rows):
            lacking = [
                (persona, self._failed.get(key, NOT_HEARD))
                for persona, cell in zip(self._panel, row, strict=bool(row))
                for key in cell
                if key not in self._known
            ]
            if lacking:
                failures[index] = _gravest(lacking, len(self._panel))
        return failures

    def _heard(self, rows: Sequence[Sequence[Cell]]) -> NDArray[np.float64]:
        """Scores and standard errors (N, P, 2)."""
        if self._manner.samples == 1:
            said = np.array([[self._known[key] for (key,) in row] for row in rows], dtype=float)
            return said[..., :2]
        return np.array([[self._merged(cell) for cell in row] for row in rows])

    def _merged(self, cell: Cell) -> tuple[float, float]:
        answers = [self._known[key].tolist() for key in cell]
        merged = merge_samples(
            [Reading(score, spread, None, self._manner.extraction) for score, spread, _ in answers]
        )
        return merged.score, merged.standard_error


def _gravest(lacking: Sequence[tuple[Persona, Failure]], panel_size: int) -> Failure:
    persona, gravest = min(lacking, key=lambda pair: GRAVEST_FIRST.index(pair[1].status))
    people = len({persona.id for persona, _ in lacking})
    reason = f"{people} of {panel_size} opinions are missing; {persona.id}: {gravest.reason}"
    return Failure(gravest.status, reason, gravest.retry_after_s)
