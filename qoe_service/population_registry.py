"""The populations that requests may name: the files in `populations/` of the personas' folder."""

from __future__ import annotations

import difflib
import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qoe_service.errors import PersonaFileError, PersonaProblem, UnknownPopulation
from qoe_service.persona import ID_PATTERN
from qoe_service.population import Population
from qoe_service.population_files import FOLDER, read_population

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]
"""Inode, size and time of a file."""


@dataclass(frozen=True)
class _Known:
    """What is known of a file since it was read last."""

    stamp: Stamp
    last_good: Population | None
    problems: tuple[PersonaProblem, ...]


class Populations:
    """The populations of a folder of personas, kept up to date while requests run.

    A new or changed file is read once two looks, `interval_s` apart, find it alike, so that one
    which is being written is left alone. If it is wrong, `problems` says so and its last good
    version stays in use; one that is wrong at the start is an error. Thread-safe.

    Raises:
        PersonaFileError: from the constructor, with the problems of every file.
    """

    def __init__(self, folder: Path, *, interval_s: float = 0.5) -> None:
        self._folder = folder / FOLDER
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._seen = self._stamps()
        self._known = {path: _read(path, stamp, None) for path, stamp in self._seen.items()}
        if self.problems:
            raise PersonaFileError(self.problems)
        self._next_look_s = time.monotonic() + interval_s

    def get(self, name: str) -> Population:
        """The population of a file, by its name without the ending.

        Raises:
            UnknownPopulation: if there is none, or none that was ever right.
        """
        self._look_now_and_then()
        good = {path.stem: each.last_good for path, each in self._known.items() if each.last_good}
        if name not in good:
            raise UnknownPopulation(f"no population {name!r}; {_hint(name, list(good))}")
        return good[name]

    @property
    def problems(self) -> tuple[PersonaProblem, ...]:
        """What is wrong with the files, as they were last read."""
        return tuple(problem for each in self._known.values() for problem in each.problems)

    def _look_now_and_then(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_look_s and self._lock.acquire(blocking=False):
            try:
                self._look()
                self._next_look_s = time.monotonic() + self._interval_s
            finally:
                self._lock.release()

    def _look(self) -> None:
        before, self._seen = self._seen, self._stamps()
        known = {}
        for path, stamp in self._seen.items():
            old = self._known.get(path)
            if old is not None and old.stamp == stamp:
                known[path] = old
            elif before.get(path) == stamp:
                known[path] = _read(path, stamp, old)
            elif old is not None:  # it is being written
                known[path] = old
        self._known = known

    def _stamps(self) -> Mapping[Path, Stamp]:
        found = {}
        for path in sorted(self._folder.glob("*.yaml")):
            try:
                state = path.stat()
            except FileNotFoundError:  # removed between listing and looking
                continue
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
        return found


def _read(path: Path, stamp: Stamp, old: _Known | None) -> _Known:
    try:
        _check_name(path)
        return _Known(stamp, read_population(path), ())
    except PersonaFileError as error:
        logger.warning("population %s is wrong: %s", path.stem, error)
        return _Known(stamp, old.last_good if old else None, error.problems)


def _check_name(path: Path) -> None:
    if not re.fullmatch(ID_PATTERN, path.stem):
        message = "the file's name is what requests say: lower-case letters, digits and hyphens"
        raise PersonaFileError([PersonaProblem(str(path), 1, 1, message)])


def _hint(name: str, known: list[str]) -> str:
    if not known:
        return f"there are none: `qoe personas sample` writes one, to be put into {FOLDER}/"
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
