"""Where pictures are kept: by the hash of their plan and the revision of the model that drew them.

A picture is drawn once and never again, because the last bits of a batched matrix product depend
on the batch: only a kept picture is the same picture tomorrow. The folder may be shared by
processes. It holds raw bytes; nothing in it is ever unpickled.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
from diskcache import Cache, Disk
from diskcache.core import MODE_PICKLE
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

FOLDER_LIMIT_BYTES = 4 * 2**30
"""Beyond it diskcache drops the pictures stored longest ago, and they are drawn anew."""


class RawDisk(Disk):
    """A diskcache disk that neither writes nor reads pickles (CVE-2025-69872)."""

    def store(self, value: Any, read: bool, key: Any = None) -> Any:
        """Store bytes; anything else would be pickled and is refused."""
        if not isinstance(value, bytes):
            raise TypeError(f"only bytes are stored, got {type(value).__name__}")
        return super().store(value, read, key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        """Fetch bytes; a pickle that someone else put there is refused."""
        if mode == MODE_PICKLE:
            raise ValueError("the picture folder holds a pickle, which is never loaded: delete it")
        return super().fetch(mode, filename, value, read)


class PictureStore:
    """Pictures in memory, and in a folder too if one is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._memory: dict[tuple[str, str], Picture] = {}
        self._lock = threading.Lock()
        self._folder = (
            None
            if folder is None
            else Cache(str(folder), disk=RawDisk, size_limit=FOLDER_LIMIT_BYTES)
        )

    def get(self, key: str, revision: str) -> Picture | None:
        """The read-only picture of this plan key by this model revision, or None if not kept."""
        with self._lock:
            picture = self._memory.get((key, revision))
        if picture is None and self._folder is not None:
            content = self._folder.get(f"{revision}/{key}")
            picture = None if content is None else self._remember(key, revision, _decoded(content))
        return picture

    def put(self, key: str, revision: str, picture: Picture) -> Picture:
        """Keep a picture; returned is the one kept, another process's if it came first."""
        if self._folder is not None and not self._folder.add(
            f"{revision}/{key}", _encoded(picture)
        ):
            earlier = self._folder.get(f"{revision}/{key}")
            picture = picture if earlier is None else _decoded(earlier)
        return self._remember(key, revision, picture)

    def _remember(self, key: str, revision: str, picture: Picture) -> Picture:
        kept = picture.copy()
        kept.flags.writeable = False
        with self._lock:
            return self._memory.setdefault((key, revision), kept)

    def close(self) -> None:
        """Close the folder, if there is one."""
        if self._folder is not None:
            self._folder.close()


def _encoded(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, picture, allow_pickle=False)
    return buffer.getvalue()


def _decoded(content: bytes) -> Picture:
    picture: Picture = np.load(io.BytesIO(content), allow_pickle=False)
    return picture
