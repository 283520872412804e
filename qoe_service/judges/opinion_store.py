"""What personas answered, kept under everything that it depends on.

A value is the vector [score, spread, mass] of one answer; mass is NaN where there are no
probabilities. Failures are never kept.

An opinion counts as stored once `written` has said so: then it outlives the process, however that
ends (SQLite's write-ahead log; a power cut may take the last moments, but damages nothing).
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import orjson

from qoe_service.cache import Vector, VectorCache
from qoe_service.provider import Question

logger = logging.getLogger(__name__)

JUST_HEARD = 16_384
"""Opinions that are remembered here for those who looked them up a moment too soon."""


class Keys:
    """Keys of what one judge is asked in one manner; `depends_on` is JSON, the same for all."""

    def __init__(self, depends_on: object) -> None:
        self._common = hashlib.sha256(orjson.dumps(depends_on, option=orjson.OPT_SORT_KEYS))

    def of(self, question: Question, perceived: str) -> str:
        """The key of a question.

        perceived: what is shown with it, in which preparation; `question.pictures` is not looked
            at, so that a picture need not be encoded only to find out that it was judged before.
        """
        digest = self._common.copy()
        for part in (perceived, question.system, question.user, question.schema or ""):
            said = part.encode()
            digest.update(b"%d " % len(said))
            digest.update(said)
        digest.update(b"%d" % question.sample)
        return f"opinion/{digest.hexdigest()}"


class OpinionStore:
    """A cache that is written behind: what comes while the disk is busy is written together.

    What the disk does not take is given to it again with what comes next. Thread-safe.
    """

    def __init__(self, cache: VectorCache) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._just_heard: OrderedDict[str, Vector] = OrderedDict()
        self._unwritten: dict[str, Vector] = {}
        self._writer = ThreadPoolExecutor(1, "opinion-writer")
        self._writing: Future[bool] | None = None

    def known(self, keys: Sequence[str]) -> dict[str, Vector]:
        """Those of the keys that there are opinions for."""
        found = dict(zip(keys, self._cache.get_many(keys), strict=True))
        known = {key: vector for key, vector in found.items() if vector is not None}
        if len(known) < len(found):
            with self._lock:
                known |= {key: self._just_heard[key] for key in found if key in self._just_heard}
        return known

    def just_heard(self, key: str) -> Vector | None:
        """The opinion, if it came lately; the disk is not asked."""
        with self._lock:
            return self._just_heard.get(key)

    def keep(self, key: str, opinion: Vector) -> None:
        """Take an opinion in; it is known at once, and on disk soon."""
        opinion.setflags(write=False)
        with self._lock:
            self._just_heard[key] = self._unwritten[key] = opinion
            if len(self._just_heard) > JUST_HEARD:
                self._just_heard.popitem(last=False)
            self._begin_writing()

    def written(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was taken in is on disk; whether it is."""
        with self._lock:
            writing = self._begin_writing() if self._unwritten else self._writing
        if writing is None:
            return True
        try:
            return writing.result(timeout_s)
        except TimeoutError:
            return False

    def close(self) -> None:
        """Write what is left and close the cache. Safe to call twice."""
        with suppress(RuntimeError):  # closed before
            self.written()
        self._writer.shutdown()
        self._cache.close()

    def _begin_writing(self) -> Future[bool]:
        """The writing under way, or a new one. For holders of the lock."""
        if self._writing is None:
            self._writing = self._writer.submit(self._write)
        return self._writing

    def _write(self) -> bool:
        while batch := self._next_batch():
            if not self._is_kept(batch):
                self._put_back(batch)
                return False
        return True

    def _is_kept(self, batch: dict[str, Vector]) -> bool:
        try:
            return self._cache.put_many(batch)
        except Exception:  # nobody looks at what this thread raises
            logger.exception("%d opinions could not be kept", len(batch))
            return False

    def _next_batch(self) -> dict[str, Vector]:
        with self._lock:
            batch, self._unwritten = self._unwritten, {}
            if not batch:
                self._writing = None
            return batch

    def _put_back(self, batch: dict[str, Vector]) -> None:
        with self._lock:
            unwritten = list((batch | self._unwritten).items())
            self._unwritten = dict(unwritten[-JUST_HEARD:])
            self._writing = None


def opinion_vector(score: float, spread: float, mass: float | None) -> Vector:
    """The value that is kept, in the precision that it is kept in."""
    return np.array([score, spread, np.nan if mass is None else mass], dtype=np.float32)
