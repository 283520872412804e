"""What a CLIP sees in pictures and texts, seen once and remembered.

A picture's embedding depends on nobody's prompt and nobody's traits, so it is the one expensive
thing, and it is kept. Equal pictures in flight share one forward.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.batching import Answer, MicroBatcher
from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges import Deadline, Failure
from qoe_service.judges.clip_calibration import Sight, encoder_id
from qoe_service.judges.encoder import Encoder
from qoe_service.judges.measures import MEASURES, MEASURES_VERSION, measure
from qoe_service.schemas import Status

Vector = NDArray[np.float32]

TEXT_BATCH = 64


@dataclass(frozen=True, eq=False)
class Seen:
    """Sights of N pictures; rows that `failures` names hold nothing."""

    sight: Sight
    failures: dict[int, Failure]
    cached: NDArray[np.bool_]
    forwards: int


@dataclass(frozen=True)
class _Flight:
    """A picture on its way through the model: its place in a batch that someone submitted."""

    answers: Future[list[Answer]]
    row: int


class Sights:
    """An encoder behind the cache, the micro-batcher and the sharing of equal pictures."""

    def __init__(
        self, encoder: Encoder, cache: VectorCache, *, max_batch: int, window_s: float
    ) -> None:
        self._encoder = encoder
        self._cache = cache
        self._batcher = MicroBatcher(encoder.pictures, max_batch=max_batch, window_s=window_s)
        self._in_flight: dict[str, _Flight] = {}
        self._lock = threading.Lock()
        self._width = encoder.texts(["a picture"]).shape[1] + len(MEASURES)
        self._prefix = f"{encoder_id(encoder)}/measures-{MEASURES_VERSION}"

    def of(self, pictures: Sequence[Picture], deadline: Deadline) -> Seen:
        """Look at pictures; those not seen before by `deadline` are failures."""
        keys = [f"picture/{self._prefix}/{picture.sha256}" for picture in pictures]
        known = dict(zip(keys, self._cache.get_many(keys), strict=True))
        new = {
            key: picture for key, picture in zip(keys, pictures, strict=True) if known[key] is None
        }
        late = deadline.too_soon_for(self._batcher.predicted_wait_s)
        failures: dict[str, Failure] = {} if late is None else dict.fromkeys(new, late)
        flights, forwards = self._board(new) if late is None else ({}, 0)
        measures = dict(zip(new, measure(list(new.values())), strict=True))
        fresh: dict[str, Vector] = {}
        for key, flight in flights.items():
            landed = _landed(flight, deadline)
            if isinstance(landed, Failure):
                failures[key] = landed
            else:
                fresh[key] = np.concatenate([landed, measures[key]]).astype(np.float32)
        self._cache.put_many(fresh)
        rows = np.zeros((len(keys), self._width))
        for row, key in enumerate(keys):
            if key not in failures:
                rows[row] = fresh[key] if key in fresh else known[key]
        return Seen(
            sight=Sight(rows[:, : -len(MEASURES)], rows[:, -len(MEASURES) :]),
            failures={row: failures[key] for row, key in enumerate(keys) if key in failures},
            cached=np.array([key not in new for key in keys]),
            forwards=forwards,
        )

    def texts(self, prompts: Sequence[str]) -> NDArray[np.float64]:
        """Unit vectors (N, D) of prompts."""
        keys = [f"text/{self._prefix}/{_digest(prompt)}" for prompt in prompts]
        known = dict(zip(keys, self._cache.get_many(keys), strict=True))
        new = {k: prompt for k, prompt in zip(keys, prompts, strict=True) if known[k] is None}
        said = list(new.values())
        parts = [
            self._encoder.texts(said[i : i + TEXT_BATCH]) for i in range(0, len(said), TEXT_BATCH)
        ]
        fresh = dict(zip(new, np.concatenate(parts) if parts else (), strict=True))
        self._cache.put_many(fresh)
        vectors = known | fresh
        return np.stack([vectors[key] for key in keys]).astype(float)

    def check(self) -> None:
        """See a canary that nothing remembers. Raises `JudgeUnavailable`."""
        side = 64
        canary = Picture(np.full((side, side, 3), 128, dtype=np.uint8))
        stack = self._encoder.prepare(canary)[None]
        landed = _landed(_Flight(self._batcher.submit(stack), 0), Deadline.after_ms(CHECK_MS))
        if isinstance(landed, Failure):
            raise JudgeUnavailable(landed.reason)

    def close(self) -> None:
        """Finish what is in flight, end the thread, close the cache."""
        self._batcher.close()
        self._cache.close()

    def _board(self, pictures: dict[str, Picture]) -> tuple[dict[str, _Flight], int]:
        """A flight for every picture; the second is how many had to be started."""
        if not pictures:
            return {}, 0
        prepared = {key: self._encoder.prepare(picture) for key, picture in pictures.items()}
        with self._lock:
            flights = {k: self._in_flight[k] for k in prepared if k in self._in_flight}
            mine = [key for key in prepared if key not in flights]
            if mine:
                answers = self._submit(np.stack([prepared[key] for key in mine]))
                started = {key: _Flight(answers, row) for row, key in enumerate(mine)}
                self._in_flight |= started
                flights |= started
        if mine:
            answers.add_done_callback(lambda _: self._land(mine))
        return flights, len(mine)

    def _submit(self, stack: NDArray[np.uint8]) -> Future[list[Answer]]:
        try:
            return self._batcher.submit(stack)
        except RuntimeError as error:
            raise JudgeUnavailable(str(error)) from error

    def _land(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self._in_flight.pop(key, None)


CHECK_MS = 30_000
"""A canary that takes longer means that the judge is stuck."""


def _landed(flight: _Flight, deadline: Deadline) -> Vector | Failure:
    """The embedding, or why there is none."""
    try:
        answer = flight.answers.result(timeout=deadline.left_s)[flight.row]
    except FutureTimeoutError:
        return Failure(Status.DEADLINE, "the deadline passed before CLIP had seen the picture")
    if isinstance(answer, Exception):
        return Failure(Status.JUDGE_UNAVAILABLE, f"CLIP failed on this picture: {answer}")
    if not np.isfinite(answer).all():
        return Failure(Status.JUDGE_UNAVAILABLE, "CLIP gave no finite answer for this picture")
    return np.asarray(answer, dtype=np.float32)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
