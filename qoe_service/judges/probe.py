"""How a model must be asked, found by asking it: the first manner in which a canary is judged.

Best are log-probabilities over the five words, then over the five digits, then a JSON answer that
fits a schema, last the same with the model's own decoding, for those that let nobody change it.
The words begin with five different letters, so their first tokens tell them apart in any
vocabulary; whether the model begins with them at all is what has to be found out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from qoe_service.judges import Deadline
from qoe_service.judges.endpoint import Decoding
from qoe_service.judges.extraction import (
    Extraction,
    Reading,
    score_from_json,
    score_from_levels,
)
from qoe_service.judges.questions import DIGITS, WORDS, Levels
from qoe_service.prompts import AnswerKind
from qoe_service.provider import Answer, CallFailed, FailureKind

logger = logging.getLogger(__name__)

AWAY = frozenset({FailureKind.BUSY, FailureKind.BROKEN, FailureKind.SLOW})
"""Failures that say nothing about how the model must be asked."""

HOPELESS_REST = 15
"""How many times longer a model is left alone that was there and could be asked in no way."""

CHANCES = 2
"""How often a manner may fail before it is given up: one mishap must not decide."""


@dataclass(frozen=True)
class Manner:
    """A way to ask and to read the answer."""

    name: str
    extraction: Extraction
    answer: AnswerKind
    levels: Levels
    decoding: Decoding
    samples: int = 1

    def read(self, answer: Answer) -> Reading:
        """The score in an answer. Raises `CallFailed` if there is none."""
        if self.answer == "json":
            return score_from_json(answer, self.levels)
        return score_from_levels(answer, self.levels)


def manners(samples: int = 1) -> tuple[Manner, ...]:
    """Every manner, best first. Answers without probabilities are the mean of `samples`."""
    probabilities = Decoding(log_probabilities=True)
    if samples == 1:
        sampled = Decoding(log_probabilities=False)
    else:  # samples at temperature 0 would be all the same
        sampled = Decoding(log_probabilities=False, temperature=1.0, seed=1)
    own = Decoding(log_probabilities=False, temperature=None, max_tokens=None)
    return (
        Manner("probabilities of words", "logprobs", "level", WORDS, probabilities),
        Manner("probabilities of digits", "logprobs", "level", DIGITS, probabilities),
        Manner("structured answers", "structured", "json", WORDS, sampled, samples),
        Manner("structured, own decoding", "structured", "json", WORDS, own, samples),
    )


NOT_YET = (FailureKind.SLOW, "there was no time to find out")

Try = Callable[[Manner, Deadline], Awaitable[object]]
"""Judges a canary in a manner; raises `CallFailed`."""


class Probe:
    """Finds the manner when it is first needed, and again while it is not found. For one loop.

    Args:
        attempt: judges a canary.
        candidates: the manners, best first.
        latest: the manner found before a restart.
        remember: is told every manner that is found.
        longest_s: how long the search may take.
        rest_s: how long nothing is asked after a search that failed because the model is away.
        later_wait_s: how long a caller waits for a search if the one before it failed.
    """

    def __init__(
        self,
        attempt: Try,
        candidates: tuple[Manner, ...],
        *,
        latest: Manner | None = None,
        remember: Callable[[Manner], None] = lambda manner: None,
        longest_s: float = 60.0,
        rest_s: float = 2.0,
        later_wait_s: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempt, self._candidates, self._now = attempt, candidates, now
        self._remember = remember
        self._longest_s, self._rest_s, self._later_wait_s = longest_s, rest_s, later_wait_s
        self._search: asyncio.Task[None] | None = None
        self._why_not = NOT_YET
        self._rests_until_s = float("-inf")
        self.found: Manner | None = None
        """How to ask, if that is known."""
        self.latest = latest
        """How it was asked last, forgotten or not: good enough for looking up what was answered."""

    async def manner(self, deadline: Deadline) -> Manner:
        """How to ask. Raises `CallFailed` if that is not known in time."""
        if self.found is None:
            await self._searched(deadline)
        found = self.found  # other threads may forget it
        if found is None:
            kind, reason = self._why_not
            raise CallFailed(kind, f"it is not known how the model must be asked: {reason}")
        return found

    def forget(self) -> None:
        """Look again when it is next needed."""
        self.found = None

    async def _searched(self, deadline: Deadline) -> None:
        if self._search is None:
            if self._now() < self._rests_until_s:
                return
            self._search = asyncio.get_running_loop().create_task(self._look())
        left_s = deadline.at_s - self._now()
        if self._why_not is not NOT_YET:
            left_s = min(left_s, self._later_wait_s)
        await asyncio.wait([self._search], timeout=None if left_s == float("inf") else left_s)

    async def _look(self) -> None:
        try:
            self.found = self.latest = await self._first_that_works()
            self._remember(self.found)
            self._why_not = NOT_YET
            logger.info("the model is asked for %s", self.found.name)
        except CallFailed as failure:
            self._rest(failure.kind, failure.reason)
        except Exception as error:
            logger.exception("the probe of the model broke")
            self._rest(FailureKind.BROKEN, f"the probe broke: {error!r}")
        finally:
            self._search = None

    def _rest(self, kind: FailureKind, reason: str) -> None:
        self._why_not = kind, reason
        times = 1 if kind in AWAY else HOPELESS_REST
        self._rests_until_s = self._now() + times * self._rest_s

    async def _first_that_works(self) -> Manner:
        deadline = Deadline(self._now() + self._longest_s)
        told, kind = [], FailureKind.REJECTED
        for manner in self._candidates:
            failure = await self._fails(manner, deadline)
            if failure is None:
                return manner
            if failure.kind in AWAY:
                raise failure
            told.append(f"{manner.name}: {failure.reason}")
            kind = failure.kind
        raise CallFailed(kind, f"the model can be asked in no way ({'; '.join(told)})")

    async def _fails(self, manner: Manner, deadline: Deadline) -> CallFailed | None:
        failure = None
        for _ in range(CHANCES):
            try:
                await self._attempt(manner, deadline)
                return None
            except CallFailed as error:
                failure = error
                if error.kind in AWAY:
                    break
        return failure
