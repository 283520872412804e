"""What a model said, kept by content so that no model is ever asked the same thing twice.

A value is the vector a model produced: a picture's embedding, a text's. It is kept on disk by
diskcache, in a format without pickle (CVE-2025-69872: unpickling a tampered cache runs code),
behind a memory layer. Several processes may share one folder.

Keys hold everything the vector depends on. Scores are not kept: they are arithmetic on these
vectors and the persona's content, so a changed persona can never meet a stale score, and a
failure or a lower tier's answer has nowhere to be mistaken for the primary one.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from diskcache import Cache, Disk
from diskcache.core import MODE_BINARY, MODE_RAW, UNKNOWN
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class CacheStatistics:
    """How full the cache is and how it did since this process began."""

    folder: str | None
    entries: int
    bytes: int
    hits: int
    misses: int


class VectorCache:
    """Float32 vectors by key, in memory and in a folder. Thread-safe."""

    def __init__(
        self, folder: Path | None, *, size_limit: int = 2**30, memory_entries: int = 65_536
    ) -> None:
        self._folder = folder
        self._disk = None if folder is None else _open(folder, size_limit)
        self._memory: OrderedDict[str, Vector] = OrderedDict()
        self._memory_entries = memory_entries
        self._lock = threading.Lock()
        self._hits = self._misses = 0

    def get_many(self, keys: Sequence[str]) -> list[Vector | None]:
        """The vectors of these keys, `None` where there is none."""
        found = self._remembered(keys)
        if self._disk is not None:
            read = {key: self._read(key) for key, vector in found.items() if vector is None}
            fresh = {key: vector for key, vector in read.items() if vector is not None}
            self._remember(fresh)
            found |= fresh
        missing = sum(vector is None for vector in found.values())
        with self._lock:
            self._misses += missing
            self._hits += len(found) - missing
        return [found[key] for key in keys]

    def put_many(self, vectors: Mapping[str, Vector]) -> bool:
        """Keep vectors, all or none; whether they are kept, which no crash of the process undoes.

        A full or broken disk is logged and costs only the keeping.
        """
        self._remember(vectors)
        if self._disk is None or not vectors:
            return True
        try:
            with self._disk.transact(retry=True):
                for key, vector in vectors.items():
                    self._disk.set(key, vector)
        except Exception as error:  # sqlite3 and the file system raise many kinds
            logger.warning("the cache at %s could not be written: %s", self._folder, error)
            return False
        return True

    def statistics(self) -> CacheStatistics:
        """How full it is and how it did."""
        folder = None if self._folder is None else str(self._folder)
        entries = len(self._memory) if self._disk is None else len(self._disk)
        size = 0 if self._disk is None else int(self._disk.volume())
        return CacheStatistics(folder, entries, size, self._hits, self._misses)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._memory.clear()
        if self._disk is not None:
            self._disk.clear()

    def close(self) -> None:
        """Close the folder; memory goes with the object."""
        if self._disk is not None:
            self._disk.close()

    def _remembered(self, keys: Iterable[str]) -> dict[str, Vector | None]:
        found: dict[str, Vector | None] = {}
        with self._lock:
            for key in keys:
                found[key] = self._memory.get(key)
                if found[key] is not None:
                    self._memory.move_to_end(key)
        return found

    def _remember(self, vectors: Mapping[str, Vector]) -> None:
        with self._lock:
            for key, vector in vectors.items():
                vector.setflags(write=False)
                self._memory[key] = vector
                self._memory.move_to_end(key)
            while len(self._memory) > self._memory_entries:
                self._memory.popitem(last=False)

    def _read(self, key: str) -> Vector | None:
        assert self._disk is not None
        try:
            vector: Vector | None = self._disk.get(key, retry=True)
        except Exception as error:  # a damaged entry must cost a forward, not the request
            logger.warning("the cache at %s could not be read: %s", self._folder, error)
            return None
        return vector


class VectorDisk(Disk):
    """How diskcache stores our keys and vectors: text and JSON, nothing that could run."""

    def put(self, key: str) -> tuple[str, bool]:
        """A key as SQLite holds it."""
        if not isinstance(key, str):
            raise TypeError(f"cache keys are text, got {type(key).__name__}")
        return key, True

    def get(self, key: str, raw: bool) -> str:
        """A key as we know it; anything but raw text was not written by us."""
        if not raw:
            raise ValueError("the cache holds a pickled key; it was not written by this service")
        return key

    def store(self, value: Vector, read: bool, key: Any = UNKNOWN) -> Any:
        """A vector as JSON bytes, in the database or in a file beside it."""
        del read
        return super().store(encode_vector(value), False, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Vector:
        """A vector from what the database holds; a pickle is refused unread."""
        del read
        if mode not in (MODE_RAW, MODE_BINARY):
            raise ValueError("the cache holds a value of another format; clear the folder")
        return decode_vector(super().fetch(mode, filename, value, False))


def encode_vector(vector: Vector) -> bytes:
    """A float32 vector as JSON."""
    data = base64.b64encode(np.ascontiguousarray(vector, dtype="<f4").tobytes())
    return orjson.dumps({"float32": data.decode()})


def decode_vector(text: bytes) -> Vector:
    """The float32 vector of such a JSON. Raises `ValueError` or `KeyError` for anything else."""
    data = base64.b64decode(orjson.loads(text)["float32"], validate=True)
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def _open(folder: Path, size_limit: int) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    return Cache(
        str(folder),
        disk=VectorDisk,
        size_limit=size_limit,
        eviction_policy="least-recently-stored",
        timeout=10,
    )
