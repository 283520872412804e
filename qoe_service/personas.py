"""The registry that serves personas from a folder of files."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from qoe_service.errors import PersonaProblem
from qoe_service.persona import Experience as Experience
from qoe_service.persona import Persona as Persona
from qoe_service.persona import Viewing as Viewing
from qoe_service.persona_watch import PersonaWatch

logger = logging.getLogger(__name__)

SCHEMA_FILE = "persona.schema.json"


def shipped_folder() -> Path:
    """The folder of the personas that come with the package, in a checkout or an installation."""
    return Path(str(files("personas").joinpath(SCHEMA_FILE))).parent


class Registry:
    """The personas of a folder, kept up to date while requests run.

    A new or changed file, or fragment, is taken over once it has been left alone for `interval_s`,
    which is noticed within as much again. One that became wrong is reported in `problems` and its
    last good version stays in use; a folder that is wrong at the start is an error. Thread-safe.

    Raises:
        PersonaFileError: from the constructor, with every problem of every file.
    """

    def __init__(self, folder: Path | None = None, *, interval_s: float = 0.5) -> None:
        self.folder = folder or shipped_folder()
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._watch = PersonaWatch(self.folder, settle_s=interval_s)
        self._personas = self._watch.personas()
        self._problems: tuple[PersonaProblem, ...] = ()
        self._next_look_s = time.monotonic() + interval_s

    def all(self) -> tuple[Persona, ...]:
        """Every persona, by id."""
        return tuple(self._current().values())

    def by_id(self) -> Mapping[str, Persona]:
        """A snapshot of every persona under its id."""
        return self._current()

    def panel(self, size: int) -> tuple[Persona, ...]:
        """A panel of `size`, the same at every call, and a part of every larger one.

        Balanced: see `balance`. A person of little `weight` is seldom in it.
        """
        from qoe_service.balance import ranked_on_norms

        return tuple(sorted(ranked_on_norms(self.all())[:size], key=lambda persona: persona.id))

    @property
    def problems(self) -> tuple[PersonaProblem, ...]:
        """What is wrong with the folder's files as they are now."""
        self._current()
        return self._problems

    def _current(self) -> Mapping[str, Persona]:
        now_s = time.monotonic()
        if now_s >= self._next_look_s and self._lock.acquire(blocking=False):
            try:
                self._look(now_s)
                self._next_look_s = now_s + self._interval_s
            finally:
                self._lock.release()
        return self._personas

    def _look(self, now_s: float) -> None:
        self._watch.look(now_s)
        # An emptied or vanished folder is a mistake, not a wish for nobody.
        self._personas = self._watch.personas() or self._personas
        problems = self._watch.problems()
        if problems and problems != self._problems:
            told = "\n".join(map(str, problems))
            logger.warning("persona files kept at their last good version: %s", told)
        self._problems = problems
