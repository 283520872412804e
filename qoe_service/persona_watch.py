"""Watching a folder of persona files: each is read again once it has changed and holds still."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from qoe_service.errors import PersonaFileError, PersonaProblem
from qoe_service.persona import Persona
from qoe_service.persona_files import Reading, folder_problems, persona_files, read_persona
from qoe_service.settling import Settling, Stamp, stamp_of

_TRIES = 3
"""How often a file is read in one look, while what it includes changes."""


@dataclass(frozen=True)
class _Known:
    """What is known of one persona file since it was read last."""

    stamp: Stamp
    reading: Reading
    last_good: Persona | None


class PersonaWatch:
    """The persona files of a folder with their fragments, and the last good version of each.

    A change counts once neither the file nor what it includes has been touched for `settle_s`. Not
    thread-safe.

    Raises:
        PersonaFileError: from the constructor, with every problem of every file.
    """

    def __init__(
        self, folder: Path, *, settle_s: float, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._settling = Settling(settle_s, wall_s=wall_s)
        self._fragments: dict[Path, tuple[Path, ...]] = {}
        self._known = {path: self._first(path) for path in persona_files(folder)}
        problems = self.problems()
        if problems:
            raise PersonaFileError(problems, list(self.personas().values()))

    def personas(self) -> Mapping[str, Persona]:
        """The last good version of every file that is there, by id."""
        good = (known.last_good for _, known in sorted(self._known.items()))
        return MappingProxyType({persona.id: persona for persona in good if persona is not None})

    def problems(self) -> tuple[PersonaProblem, ...]:
        """What is wrong with the folder and its files, as they were last read."""
        readings = (known.reading for _, known in sorted(self._known.items()))
        return (*folder_problems(self._folder), *(p for each in readings for p in each.problems))

    def look(self, now_s: float) -> None:
        """Read what has changed and holds still. `now_s` is of a clock that only goes forward."""
        for path in {*persona_files(self._folder), *self._known}:
            for _ in range(_TRIES):
                if self._is_known(path, now_s):
                    break

    def _first(self, path: Path) -> _Known:
        self._fragments[path] = ()
        stamp, reading = self._stamp(path), read_persona(path)
        if reading.fragments:  # read again, now that it is known what to watch meanwhile
            self._fragments[path] = reading.fragments
            stamp, reading = self._stamp(path), read_persona(path)
        return _Known(stamp, reading, reading.persona)

    def _is_known(self, path: Path, now_s: float) -> bool:
        """Whether there is nothing more to read in this file for now."""
        known, stamp = self._known.get(path), self._stamp(path)
        if known is not None and stamp == known.stamp:
            self._settling.forget(path)
            return True
        if not self._settling.settled(self._files(path), stamp, now_s):
            return True
        if stamp[0] is None:
            self._known.pop(path, None)
            return True
        reading = read_persona(path)
        if reading.fragments != self._fragments.get(path, ()):
            self._fragments[path] = reading.fragments  # which may be in the midst of a change too
            return False
        if self._stamp(path) == stamp:  # or else it was written to while it was read
            last_good = reading.persona or (known.last_good if known else None)
            self._known[path] = _Known(stamp, reading, last_good)
        return True

    def _files(self, path: Path) -> tuple[Path, ...]:
        return (path, *self._fragments.get(path, ()))

    def _stamp(self, path: Path) -> Stamp:
        return stamp_of(self._files(path))
