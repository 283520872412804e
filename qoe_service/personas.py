"""The registry that serves personas from a folder of files."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from qoe_service.errors import PersonaFileError, PersonaProblem
from qoe_service.persona import Experience as Experience
from qoe_service.persona import Persona as Persona
from qoe_service.persona import Viewing as Viewing

logger = logging.getLogger(__name__)

SCHEMA_FILE = "persona.schema.json"


def shipped_folder() -> Path:
    """The folder of the personas that come with the package, in a checkout or an installation."""
    return Path(str(files("personas").joinpath(SCHEMA_FILE))).parent


class Registry:
    """The personas of a folder, kept up to date while requests run.

    A new or changed file is noticed within `interval_s`. A file that became wrong is reported in
    `problems` and its last good version stays in use; a folder that is wrong at the start is an
    error. Thread-safe.

    Raises:
        PersonaFileError: from the constructor, with every problem of every file.
    """

    def __init__(self, folder: Path | None = None, *, interval_s: float = 0.5) -> None:
        self.folder = folder or shipped_folder()
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._stamp = _stamp(self.folder)
        self._personas = _load(self.folder)
        self._problems: tuple[PersonaProblem, ...] = ()
        self._next_look_s = time.monotonic() + interval_s

    def all(self) -> tuple[Persona, ...]:
        """Every persona, by id."""
        return tuple(self._current().values())

    def by_id(self) -> Mapping[str, Persona]:
        """A snapshot of every persona under its id."""
        return self._current()

    def panel(self, size: int) -> tuple[Persona, ...]:
        """A panel of `size`, the same at every call, and the first part of every larger one.

        Drawn without replacement in proportion to `weight` (Efraimidis and Spirakis 2006), with
        the persona's content as the source of chance.
        """
        drawn = sorted(self.all(), key=_waiting_time)[:size]
        return tuple(sorted(drawn, key=lambda persona: persona.id))

    @property
    def problems(self) -> tuple[PersonaProblem, ...]:
        """What is wrong with the folder's files as they are now."""
        self._current()
        return self._problems

    def _current(self) -> Mapping[str, Persona]:
        now_s = time.monotonic()
        if now_s >= self._next_look_s and self._lock.acquire(blocking=False):
            try:
                self._look()
                self._next_look_s = now_s + self._interval_s
            finally:
                self._lock.release()
        return self._personas

    def _look(self) -> None:
        stamp = _stamp(self.folder)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._personas, self._problems = _load(self.folder), ()
        except PersonaFileError as error:
            self._personas = _repaired(error.valid, self._personas, error.files)
            self._problems = error.problems
            logger.warning("persona files kept at their last good version: %s", error)


def _load(folder: Path) -> Mapping[str, Persona]:
    from qoe_service.persona_files import load_personas

    return MappingProxyType({persona.id: persona for persona in load_personas(folder)})


def _repaired(
    valid: Sequence[Persona], last_good: Mapping[str, Persona], wrong: frozenset[str]
) -> Mapping[str, Persona]:
    if not valid:  # an emptied or vanished folder is a mistake, not a wish for nobody
        return last_good
    kept = {name: persona for name, persona in last_good.items() if name in wrong}
    merged = kept | {persona.id: persona for persona in valid}
    return MappingProxyType(dict(sorted(merged.items())))


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every persona file: what changes when someone edits one."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            state = path.stat()
        except FileNotFoundError:  # removed between listing and looking
            continue
        found.append((path.name, state.st_size, state.st_mtime_ns))
    return tuple(found)


def _waiting_time(persona: Persona) -> float:
    chance = (int(persona.content_hash[:13], 16) + 0.5) / 16**13
    return -math.log(chance) / persona.weight
