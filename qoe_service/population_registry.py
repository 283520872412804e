"""The populations that requests may name: the files in `populations/` of the personas' folder."""

from __future__ import annotations

import difflib
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qoe_service.errors import PersonaFileError, PersonaProblem, UnknownPopulation
from qoe_service.persona import ID_PATTERN
from qoe_service.population import Population
from qoe_service.population_files import FOLDER, read_population
from qoe_service.settling import Settling, Stamp, stamp_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What is known of a file since it was read last."""

    stamp: Stamp
    last_good: Population | None
    problems: tuple[PersonaProblem, ...]


class Populations:
    """The populations of a folder of personas, kept up to date while requests run.

    A new or changed file is taken over once it has been left alone for `interval_s`, which is
    noticed within as much again. If it is wrong, `problems` says so and its last good version stays
    in use; one that is wrong at the start is an error. Thread-safe.

    Raises:
        PersonaFileError: from the constructor, with the problems of every file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        interval_s: float = 0.5,
        now_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder / FOLDER
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._now_s = now_s
        self._settling = Settling(interval_s, wall_s=wall_s)
        self._known = {path: _read(path, stamp_of([path]), None) for path in self._files()}
        if self.problems:
            raise PersonaFileError(self.problems)
        self._next_look_s = self._now_s() + interval_s

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
        now_s = self._now_s()
        if now_s >= self._next_look_s and self._lock.acquire(blocking=False):
            try:
                self._look(now_s)
                self._next_look_s = now_s + self._interval_s
            finally:
                self._lock.release()

    def _look(self, now_s: float) -> None:
        known = {}
        for path in sorted({*self._files(), *self._known}):
            now = self._now(path, self._known.get(path), now_s)
            if now is not None:
                known[path] = now
        self._known = known

    def _now(self, path: Path, old: _Known | None, now_s: float) -> _Known | None:
        stamp = stamp_of([path])
        if old is not None and old.stamp == stamp:
            self._settling.forget(path)
            return old
        if not self._settling.settled([path], stamp, now_s):
            return old
        if stamp == (None,):
            return None
        new = _read(path, stamp, old)
        return new if stamp_of([path]) == stamp else old  # or it was written to while it was read

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.yaml"))


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
