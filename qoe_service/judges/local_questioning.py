"""Asking a model on this machine: questions of all requests in batches, equal ones once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qoe_service.batching import Answer, MicroBatcher
from qoe_service.cache import Vector
from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import Deadline, Failure
from qoe_service.judges.extraction import expected_grade
from qoe_service.judges.inquiry import NOT_HEARD, Ask, Inquiry
from qoe_service.judges.opinion_store import OpinionStore, opinion_vector
from qoe_service.judges.questions import Levels
from qoe_service.provider import CallFailed, Question
from qoe_service.schemas import Status

logger = logging.getLogger(__name__)

CLOSED = Failure(Status.JUDGE_UNAVAILABLE, "the judge is closed")

Objects = NDArray[Any]
"""A row is an object of ours, not a number."""


class Model(Protocol):
    """What answers. For one thread at a time."""

    levels: Levels

    def probabilities(self, asked: Sequence[tuple[Question, Image.Image]]) -> NDArray[np.float64]:
        """How probable each level (N, 5) is as the answer."""
        ...


@dataclass(eq=False)
class _Flight:
    """A question on its way, wanted until the last of those who wait for it gives up."""

    ask: Ask
    wanted_until: Deadline
    answer: Future[Vector | Failure] = field(default_factory=Future)


class LocalQuestioning:
    """A model behind the micro-batcher. Thread-safe.

    Args:
        max_batch: most questions in one forward.
        window_s: how long a forward waits for company.
    """

    def __init__(
        self, model: Model, store: OpinionStore, *, max_batch: int, window_s: float
    ) -> None:
        self.heard_s = float("-inf")
        """When the model last gave an answer that could be read, on the monotonic clock."""
        self._model, self._store = model, store
        self._in_flight: dict[str, _Flight] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._batcher = MicroBatcher(self._forward, max_batch=max_batch, window_s=window_s)

    def ask_all(self, asks: Sequence[Ask], inquiry: Inquiry, deadline: Deadline) -> int:
        """Ask; the inquiry learns all that is answered in time. Returns how many were put anew."""
        flights = [self._board(ask, deadline) for ask in asks]
        for flight, is_new in flights:
            if is_new:
                self._start(flight)
        for flight, _ in flights:
            inquiry.learn(flight.ask.key, _answer(flight, deadline))
        return sum(is_new for _, is_new in flights)

    def ask_canary(self, canary: Ask, deadline: Deadline) -> None:
        """Hear a canary judged, and forget it. Raises `JudgeUnavailable`."""
        answer: Vector | Failure
        try:
            answers = self._batcher.submit(_objects([_Flight(canary, deadline)]))
            answer = _said(answers, deadline.left_s)
        except FutureTimeoutError:
            answer = NOT_HEARD
        except RuntimeError:
            answer = CLOSED
        if isinstance(answer, Failure):
            raise JudgeUnavailable(answer.reason)

    def close(self) -> None:
        """Finish the batch that is running; what waits behind it fails. Safe to call twice."""
        self._closed = True
        self._batcher.close()

    def _board(self, ask: Ask, deadline: Deadline) -> tuple[_Flight, bool]:
        """The flight of a question, and whether it has yet to be started."""
        with self._lock:
            flight = self._in_flight.get(ask.key)
            if flight is not None:
                flight.wanted_until = max(flight.wanted_until, deadline, key=lambda it: it.at_s)
                return flight, False
            flight = _Flight(ask, deadline)
            heard = self._store.just_heard(ask.key)  # landed since it was looked up
            if heard is None:
                self._in_flight[ask.key] = flight
            else:
                flight.answer.set_result(heard)
            return flight, heard is None

    def _start(self, flight: _Flight) -> None:
        try:
            answers = self._batcher.submit(_objects([flight]))
        except RuntimeError:
            self._land(flight, CLOSED)
            return
        answers.add_done_callback(lambda done: self._land(flight, _said(done)))

    def _land(self, flight: _Flight, answer: Vector | Failure) -> None:
        if not isinstance(answer, Failure):
            self._store.keep(flight.ask.key, answer)
        with self._lock:
            self._forget(flight)
        flight.answer.set_result(answer)

    def _forget(self, flight: _Flight) -> None:
        if self._in_flight.get(flight.ask.key) is flight:
            del self._in_flight[flight.ask.key]

    def _forward(self, flights: Objects) -> Objects:
        """The answer to each question, or why there is none; raises what a batch may die of."""
        wanted = [] if self._closed else self._still_wanted(flights)
        answers: dict[_Flight, Vector | Failure] = dict.fromkeys(
            flights, CLOSED if self._closed else NOT_HEARD
        )
        if wanted:
            answers |= zip(wanted, self._answers(wanted), strict=True)
        return _objects([answers[flight] for flight in flights])

    def _still_wanted(self, flights: Objects) -> list[_Flight]:
        with self._lock:
            wanted = [flight for flight in flights if not flight.wanted_until.passed]
            for flight in set(flights) - set(wanted):
                self._forget(flight)  # whoever asks from now on has more time
        return wanted

    def _answers(self, flights: Sequence[_Flight]) -> list[Vector | Failure]:
        try:
            found = self._model.probabilities(
                [
                    (flight.ask.question, image)
                    for flight in flights
                    for image in flight.ask.percept.images
                ]
            )
        except Exception as error:
            why = (str(error) or type(error).__name__)[:300]
        else:
            return [self._read(row) for row in found]
        # Raised anew: the traceback of the first error would keep the batch's tensors alive while
        # its halves are tried.
        logger.warning("a batch of %d questions failed: %s", len(flights), why)
        raise RuntimeError(why)

    def _read(self, probabilities: NDArray[np.float64]) -> Vector | Failure:
        if not np.isfinite(probabilities).all():
            return Failure(Status.JUDGE_UNAVAILABLE, "the model gave no finite answer")
        try:
            reading = expected_grade(probabilities.tolist(), self._model.levels)
        except CallFailed as failure:
            return Failure(Status.UNREADABLE_ANSWER, failure.reason)
        self.heard_s = time.monotonic()
        return opinion_vector(reading.score, reading.spread, reading.mass)


def _objects(rows: Sequence[object]) -> Objects:
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


def _said(done: Future[list[Answer]], timeout_s: float | None = None) -> Vector | Failure:
    (answer,) = done.result(timeout_s)
    if isinstance(answer, Exception):
        reason = f"the model failed on this question: {answer}"
        return Failure(Status.JUDGE_UNAVAILABLE, reason)
    return answer


def _answer(flight: _Flight, deadline: Deadline) -> Vector | Failure:
    try:
        return flight.answer.result(deadline.left_s)
    except FutureTimeoutError:
        return NOT_HEARD
