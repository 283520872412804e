"""Reading every statement to every persona, through all that stands between a judge and its model.

The answers go by the judge's own way: cache, single flight, budget, retry loop, breaker, limiter.
What was answered before, in the same words, is not asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qoe_service.cache import Vector, VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.interview.asking import ADMINISTRATIONS, ItemAsking, manners_of
from qoe_service.interview.instruments import Instrument
from qoe_service.interview.wording import not_to_be_asked
from qoe_service.judges import Deadline, Failure
from qoe_service.judges.chat import CANARY_PERSONA
from qoe_service.judges.endpoint import Endpoint, Meter, endpoint_of
from qoe_service.judges.inquiry import Ask
from qoe_service.judges.opinion_store import OpinionStore
from qoe_service.judges.parts import Parts
from qoe_service.judges.perception import Percept
from qoe_service.judges.probe import Manner, Probe
from qoe_service.judges.questioning import Questioning
from qoe_service.persona import Persona
from qoe_service.prompts import JudgePrompt
from qoe_service.provider import CallFailed

NOTHING_SHOWN = Percept("")

Cell = tuple[int, int, int]
"""Which administration, which persona, which statement."""

Heard = Callable[[int], object]
"""Is told how many more answers there are."""


@dataclass(frozen=True)
class Sheets:
    """What P personas answered to I statements, A times over.

    answers: (A, P, I) from 1, very inaccurate, to 5, very accurate; NaN where there is none.
    answered: share of what was asked.
    left_out: by persona's id, the statements that were not read to it.
    failures: why answers are missing, and how often.
    """

    answers: NDArray[np.float64]
    answered: float
    left_out: Mapping[str, tuple[str, ...]]
    failures: Mapping[str, int]
    extraction: str
    questions: int
    cached: int
    calls: int
    tokens: int


class Interviewer:
    """Interviews one chat model as whoever it is told to be."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        instrument: Instrument,
        template: JudgePrompt,
        cache: VectorCache,
        candidates: Sequence[Manner] | None = None,
    ) -> None:
        self._endpoint, self._instrument, self._template = endpoint, instrument, template
        manners = tuple(manners_of(instrument) if candidates is None else candidates)
        self._store = OpinionStore(cache)
        self._questionings = {
            manner: Questioning(manner, endpoint, template, self._store) for manner in manners
        }
        self._probe = Probe(self._ask_canary, manners)

    def administer(
        self,
        personas: Sequence[Persona],
        *,
        run: str,
        deadline: Deadline,
        heard: Heard = lambda count: None,
    ) -> Sheets:
        """Read all statements to all personas, twice; what the run spends is its own.

        Raises:
            JudgeUnavailable: if the model can be asked in no way.
        """
        meter = Meter()
        try:
            manner = self._endpoint.run(partial(self._probe.manner, deadline), deadline, meter)
        except CallFailed as failure:
            raise JudgeUnavailable(failure.reason) from failure
        hearing = _Hearing(self._asks(personas, manner), heard)
        missing = hearing.missing(self._store.known(tuple(hearing.asks)))
        ask_all = partial(self._questionings[manner].ask_all, missing, hearing, deadline, run)
        try:
            self._endpoint.run(ask_all, deadline, meter)
        except CallFailed as failure:
            hearing.fail_rest(failure.reason)
        self._store.written(deadline.left_s)
        return Sheets(
            answers=hearing.table(len(personas), len(self._instrument.statements)),
            answered=hearing.answered,
            left_out=self._left_out(personas),
            failures=hearing.failures(),
            extraction=manner.extraction,
            questions=len(hearing.asks),
            cached=len(hearing.asks) - len(missing),
            calls=meter.calls,
            tokens=meter.tokens,
        )

    def close(self) -> None:
        """Cancel what is being asked, write down what was answered."""
        self._endpoint.close()
        self._store.close()

    async def _ask_canary(self, manner: Manner, deadline: Deadline) -> None:
        asking = ItemAsking(self._template, manner)
        question = asking.question(CANARY_PERSONA, self._instrument.statements[0].text)
        await self._questionings[manner].ask_canary(question, deadline)

    def _asks(self, personas: Sequence[Persona], manner: Manner) -> dict[Cell, Ask]:
        asking, key_of = ItemAsking(self._template, manner), self._questionings[manner].keys.of
        asks: dict[Cell, Ask] = {}
        for row, persona in enumerate(personas):
            unasked = not_to_be_asked(persona, self._instrument)
            for column, statement in enumerate(self._instrument.statements):
                for turn in range(ADMINISTRATIONS) if column not in unasked else ():
                    question = asking.question(persona, statement.text, turn)
                    key = key_of(question, NOTHING_SHOWN.identity)
                    asks[turn, row, column] = Ask(key, question, NOTHING_SHOWN)
        return asks

    def _left_out(self, personas: Sequence[Persona]) -> dict[str, tuple[str, ...]]:
        statements = self._instrument.statements
        left_out = {
            persona.id: tuple(
                statements[place].text for place in not_to_be_asked(persona, self._instrument)
            )
            for persona in personas
        }
        return {name: texts for name, texts in left_out.items() if texts}


class _Hearing:
    """What is asked, and what came of it; people who are told the same are asked once."""

    def __init__(self, cells: Mapping[Cell, Ask], heard: Heard) -> None:
        self.asks = {ask.key: ask for ask in cells.values()}
        self._cells, self._heard = cells, heard
        self._answers: dict[str, float] = {}
        self._failed: dict[str, str] = {}

    def missing(self, known: Mapping[str, Vector]) -> tuple[Ask, ...]:
        """What has to be asked, if so much is known from before."""
        self._answers.update({key: float(vector[0]) for key, vector in known.items()})
        self._heard(len(known))
        return tuple(ask for key, ask in self.asks.items() if key not in known)

    def learn(self, key: str, answer: Vector | Failure) -> None:
        if isinstance(answer, Failure):
            self._failed[key] = answer.reason
        else:
            self._answers[key] = float(answer[0])
        self._heard(1)

    def fail_rest(self, reason: str) -> None:
        for key in self.asks:
            if key not in self._answers:
                self._failed.setdefault(key, reason)

    @property
    def answered(self) -> float:
        return sum(ask.key in self._answers for ask in self._cells.values()) / len(self._cells)

    def failures(self) -> dict[str, int]:
        return dict(Counter(self._failed.values()).most_common())

    def table(self, people: int, statements: int) -> NDArray[np.float64]:
        answers = np.full((ADMINISTRATIONS, people, statements), np.nan)
        for cell, ask in self._cells.items():
            answers[cell] = self._answers.get(ask.key, np.nan)
        return answers


def create_interviewer(
    parts: Parts, tier: str, instrument: Instrument, template: JudgePrompt
) -> Interviewer:
    """An interviewer of the model that the settings name for a tier; it owns the cache.

    Raises:
        JudgeUnavailable: if no model is named, or it cannot be set up.
    """
    endpoint = endpoint_of(
        parts.settings,
        tier,
        [manner.decoding for manner in manners_of(instrument)],
        budget=parts.budget,
        free_budget=parts.free_budget,
    )
    return Interviewer(endpoint, instrument=instrument, template=template, cache=parts.cache)
