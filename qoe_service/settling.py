"""When changed files may be read: once whoever writes them has left them alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Stamp = tuple[tuple[int, int, int, int] | None, ...]
"""Inode, size and times of each of some files, `None` for one that is not there."""


def stamp_of(files: Sequence[Path]) -> Stamp:
    """What is different once one of these files has been written to."""
    return tuple(map(_state, files))


class Settling:
    """Tells whether files that belong together have not been touched for `settle_s`.

    A file that is being written in place may well read as a shorter but sound one meanwhile.

    Args:
        settle_s: for how long nobody must have touched them.
        wall_s: the clock by which files are dated.
    """

    def __init__(self, settle_s: float, *, wall_s: Callable[[], float] = time.time) -> None:
        self._settle_s = settle_s
        self._wall_s = wall_s
        self._changing: dict[Path, tuple[Stamp, float]] = {}

    def settled(self, files: Sequence[Path], stamp: Stamp, now_s: float) -> bool:
        """Whether these files, the first of which names them all, rest with this stamp.

        `now_s` is of a clock that only goes forward.
        """
        if self._wall_s() - max(map(_touched_s, files)) >= self._settle_s:
            return True
        # Files may be dated otherwise than by this machine's clock: then watching them must do.
        seen, since_s = self._changing.get(files[0], (None, now_s))
        if seen != stamp:
            self._changing[files[0]], since_s = (stamp, now_s), now_s
        return now_s - since_s >= self._settle_s

    def forget(self, file: Path) -> None:
        """The files that this one names are as they were known."""
        self._changing.pop(file, None)


def _state(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _touched_s(path: Path) -> float:
    """When a file was last written, or came or went, by the wall clock; `inf` if nobody knows."""
    for each in (path, path.parent):
        try:
            found = each.stat()
        except OSError:
            continue
        return max(found.st_mtime, found.st_ctime)
    return math.inf
