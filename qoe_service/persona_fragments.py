"""Fragments: what several persona files have in common, included instead of copied.

A file says `include: [fragments/viewing-phone.yaml]`, paths being relative to the file that says
so. A file's own keys win over those of its fragments, and a later fragment over an earlier one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qoe_service.errors import PersonaFileError, PersonaProblem, Place
from qoe_service.persona_documents import (
    Document,
    Location,
    bounded_text,
    problem_at,
    read_yaml,
    why_unreadable,
)

INCLUDE = "include"

MAX_INCLUDES = 32
"""In one persona, those of its fragments counted in."""

_OUTSIDE = (
    "leads out of the personas' folder: a folder must be whole by itself to be copied and served, "
    "and no server must be made to read other files; copy the fragment into it"
)


@dataclass
class Assembly:
    """One document over all the fragments that it includes, and what was met on the way.

    folder: the personas' folder, which no include may lead out of; without one, nothing can be
        included.
    """

    folder: Path | None
    problems: list[PersonaProblem] = field(default_factory=list)
    """What is wrong with the includes; what the fragments say is not judged here."""
    parts: list[Document] = field(default_factory=list)
    """The fragments that were read, each by itself."""
    files: list[Path] = field(default_factory=list)
    """Every file that an include names, whether it is there or not."""

    def of(self, document: Document, path: Path) -> Document:
        """The document of the file at `path`, complete."""
        return self._complete(document, path, (path.resolve(),))

    def _complete(self, document: Document, path: Path, above: tuple[Path, ...]) -> Document:
        under = Document(document.source, {}, {})
        for spot, name in self._includes(document):
            fragment = Path(os.path.normpath(path.parent / name))
            try:
                part = self._read(fragment, name, spot, above)
            except PersonaFileError as error:
                self.problems.extend(error.problems)
                continue
            self.parts.append(_alone(part))
            under = self._complete(part, fragment, (*above, fragment.resolve())).over(under)
        return _alone(document).over(under)

    def _includes(self, document: Document) -> Iterator[tuple[tuple[Place, ...], str]]:
        names = document.content.get(INCLUDE, [])
        if not isinstance(names, list):
            self._refuse(document, (INCLUDE,), "must be a list, such as [fragments/phone.yaml]")
            return
        for index, name in enumerate(names):
            location = (INCLUDE, index)
            if isinstance(name, str) and name and "\0" not in name:
                yield document.spot(location), name
            else:
                self._refuse(document, location, f"must be the name of a file, got {name!r}")

    def _refuse(self, document: Document, location: Location, message: str) -> None:
        self.problems.append(document.problem(location, f"{INCLUDE}: {message}"))

    def _read(
        self, fragment: Path, name: str, spot: tuple[Place, ...], above: tuple[Path, ...]
    ) -> Document:
        try:
            refusal = self._refusal(fragment, above)
            if refusal is None:
                self.files.append(fragment)
                return read_yaml(bounded_text(fragment), str(fragment), spot)
        except (OSError, ValueError, RuntimeError) as error:
            refusal = f"cannot be read: {why_unreadable(error)}"
        raise PersonaFileError([problem_at(spot, f"{INCLUDE}: {name!r} {refusal}")])

    def _refusal(self, fragment: Path, above: tuple[Path, ...]) -> str | None:
        if self.folder is None:
            return "cannot be found: only a file in a folder of personas can include others"
        if not fragment.resolve().is_relative_to(self.folder.resolve()):
            return _OUTSIDE
        if fragment.resolve() in above:
            return "includes itself in the end; break the cycle"
        if len(self.files) >= MAX_INCLUDES:
            return f"is one too many: a persona may include {MAX_INCLUDES} fragments"
        return None


def _alone(document: Document) -> Document:
    content = {key: value for key, value in document.content.items() if key != INCLUDE}
    return Document(document.source, content, document.places)
