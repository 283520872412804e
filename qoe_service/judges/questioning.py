"""Asking an endpoint in one manner, many questions at a time, and keeping each answer at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby
from operator import attrgetter

from qoe_service.cache import Vector
from qoe_service.judges import Deadline, Failure
from qoe_service.judges.endpoint import Endpoint
from qoe_service.judges.inquiry import Ask, Learner
from qoe_service.judges.opinion_store import Keys, OpinionStore, opinion_vector
from qoe_service.judges.perception import Percept
from qoe_service.judges.probe import Manner
from qoe_service.judges.questions import Asking
from qoe_service.prompts import JudgePrompt
from qoe_service.provider import Answer, CallFailed, FailureKind, Question
from qoe_service.provider.budget import OverBudget
from qoe_service.schemas import Status

logger = logging.getLogger(__name__)

READING_VERSION = 1
"""Part of every key: raise it when answers are read differently."""

CANARY_RUN = "canary"
"""What probes and health checks cost is written down under this run, which has no limit."""

STATUS = {
    FailureKind.BUSY: Status.JUDGE_UNAVAILABLE,
    FailureKind.BROKEN: Status.JUDGE_UNAVAILABLE,
    FailureKind.REJECTED: Status.JUDGE_UNAVAILABLE,
    FailureKind.SLOW: Status.DEADLINE,
    FailureKind.REFUSED: Status.REFUSED,
    FailureKind.UNREADABLE: Status.UNREADABLE_ANSWER,
}


class Questioning:
    """One manner, put to work. For one event loop, but for `asking`, `keys` and `heard_s`."""

    def __init__(
        self, manner: Manner, endpoint: Endpoint, template: JudgePrompt, store: OpinionStore
    ) -> None:
        self.manner = manner
        self.asking = Asking(template, levels=manner.levels, answer=manner.answer)
        self.keys = Keys(_dependencies(manner, endpoint, template))
        self.heard_s = float("-inf")
        """When the model last gave an answer that could be read, on the monotonic clock."""
        self._store = store
        self._caller = endpoint.caller(manner.decoding)
        self._canary_caller = endpoint.canary_caller(manner.decoding)

    async def ask_all(
        self, asks: Sequence[Ask], inquiry: Learner, deadline: Deadline, run: str
    ) -> None:
        """Ask everything at once; the inquiry learns each answer, or failure, as it comes."""
        async with asyncio.TaskGroup() as group:
            for percept, about_it in groupby(asks, key=attrgetter("percept")):
                failure = await _encoded(percept)  # while those before it are asked about
                for ask in about_it:
                    if failure is None:
                        group.create_task(self._ask(ask, inquiry, deadline, run))
                    else:
                        inquiry.learn(ask.key, failure)

    async def ask_canary(self, question: Question, deadline: Deadline) -> None:
        """Hear a canary judged, at nobody's expense. Raises `CallFailed`."""
        key = f"{CANARY_RUN}/{time.monotonic_ns()}"
        await self._canary_caller.ask(
            question, key=key, deadline=deadline, run=CANARY_RUN, read=self._read
        )

    async def _ask(self, ask: Ask, inquiry: Learner, deadline: Deadline, run: str) -> None:
        inquiry.learn(ask.key, await self._answer(ask, deadline, run))

    async def _answer(self, ask: Ask, deadline: Deadline, run: str) -> Vector | Failure:
        # Somebody else's call may have ended since it was looked up. Nothing is awaited between
        # here and the single flight, and `read` runs in it: an answer is either here or in the air.
        heard = self._store.just_heard(ask.key)
        if heard is not None:
            return heard
        question = replace(ask.question, pictures=ask.percept.pictures)

        def read(answer: Answer) -> None:
            self._store.keep(ask.key, self._read(answer))

        try:
            answer = await self._caller.ask(
                question, key=ask.key, deadline=deadline, run=run, read=read
            )
        except CallFailed as failure:
            return Failure(STATUS[failure.kind], failure.reason)
        except OverBudget as over:
            return Failure(Status.OVER_BUDGET, over.reason)
        except Exception as error:
            logger.exception("a question that was asked for %s broke", self.manner.name)
            return Failure(Status.JUDGE_UNAVAILABLE, f"the judge broke: {error!r}")
        kept = self._store.just_heard(ask.key)
        return self._read(answer) if kept is None else kept

    def _read(self, answer: Answer) -> Vector:
        reading = self.manner.read(answer)
        self.heard_s = time.monotonic()
        return opinion_vector(reading.score, reading.spread, reading.mass)


async def _encoded(percept: Percept) -> Failure | None:
    """Have pictures ready, or say why they are not: a poisoned one must fail alone."""
    try:
        await asyncio.to_thread(percept.encode)
    except Exception as error:
        logger.exception("a picture could not be encoded")
        return Failure(Status.JUDGE_UNAVAILABLE, f"the picture could not be encoded: {error!r}")
    return None


def _dependencies(manner: Manner, endpoint: Endpoint, template: JudgePrompt) -> object:
    return {
        "model": endpoint.model.name,
        "address": endpoint.model.address,
        "decoding": asdict(manner.decoding),
        "extraction": manner.extraction,
        "reading": READING_VERSION,
        "template": template.tag,
    }
