"""Reading persona files: YAML in, personas out, and errors that point at the line.

Every problem of a file is told at once, with the nearest known key where a key is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qoe_service.errors import PersonaFileError, PersonaProblem, Place
from qoe_service.persona import Persona
from qoe_service.persona_documents import (
    Document,
    bounded_text,
    read_json,
    read_yaml,
    why_unreadable,
)
from qoe_service.persona_fragments import Assembly
from qoe_service.persona_problems import problems_of_fragment, problems_of_persona


@dataclass(frozen=True)
class Reading:
    """What a persona file was found to say: a persona, or problems.

    fragments: every file that its includes name, whether it is there or not.
    named_at: where its id stands.
    """

    persona: Persona | None
    problems: tuple[PersonaProblem, ...] = ()
    fragments: tuple[Path, ...] = ()
    named_at: tuple[Place, ...] = ()

    @property
    def checked(self) -> Persona:
        """The persona. Raises `PersonaFileError` if there is none."""
        if self.persona is None:
            raise PersonaFileError(self.problems)
        return self.persona


def load_personas(folder: Path) -> tuple[Persona, ...]:
    """Every `*.yaml` of a folder, by id.

    Raises:
        PersonaFileError: with all problems of all files, and the personas that are right.
    """
    readings = [read_persona(path) for path in persona_files(folder)]
    valid = [reading.persona for reading in readings if reading.persona is not None]
    problems = [*folder_problems(folder), *(p for reading in readings for p in reading.problems)]
    if problems:
        raise PersonaFileError(problems, valid)
    return tuple(valid)


def persona_files(folder: Path) -> list[Path]:
    """The files of a folder that describe a persona each; its subfolders hold fragments."""
    return sorted(folder.glob("*.yaml"))


def folder_problems(folder: Path) -> Iterator[PersonaProblem]:
    """What is wrong with a folder, besides what its persona files say."""
    misnamed = sorted(folder.glob("*.yml"))
    for path in misnamed:
        message = f"persona files end in .yaml; rename it to {path.stem}.yaml"
        yield PersonaProblem(str(path), 1, 1, message)
    if not folder.is_dir():
        message = "no such folder of personas; QOE_PERSONAS names it"
        yield PersonaProblem(str(folder), 1, 1, message)
    elif not misnamed and not persona_files(folder):
        message = "holds no persona file (*.yaml); `qoe personas new` writes one"
        yield PersonaProblem(str(folder), 1, 1, message)


def load_persona(path: Path) -> Persona:
    """The persona of one file, whose id must be the file's name.

    That rule also makes an id unique: two files of one folder cannot bear the same name.

    Raises:
        PersonaFileError: with every problem of the file.
    """
    return read_persona(path).checked


def read_persona(path: Path) -> Reading:
    """What the file of a persona says, or what is wrong with it."""
    try:
        document = _document(path)
    except PersonaFileError as error:
        return Reading(None, error.problems)
    return _reading(document, path, path.parent, expected_id=path.stem)


def parse_persona(
    text: str, *, source: str, expected_id: str | None = None, folder: Path | None = None
) -> Persona:
    """The persona that a YAML text describes; `source` names the text in errors.

    folder: where the text would be placed: what it includes is looked for there.

    Raises:
        PersonaFileError: with every problem of the text.
    """
    return _placed(read_yaml(text, source), folder, expected_id).checked


def parse_persona_json(text: str, *, source: str, folder: Path | None = None) -> Persona:
    """The same for a JSON object. Raises `PersonaFileError`."""
    return _placed(read_json(text, source), folder, None).checked


def check_fragment(path: Path) -> None:
    """Whether a file is right as a fragment of the personas in the folder above its own.

    Raises:
        PersonaFileError: with every problem of the fragment.
    """
    assembly = Assembly(path.parent.parent)
    whole = assembly.of(_document(path), path)
    problems = [*assembly.problems]
    for part in (whole, *assembly.parts):
        problems.extend(problems_of_fragment(part))
    if problems:
        raise PersonaFileError(list(dict.fromkeys(problems)))


def _document(path: Path) -> Document:
    try:
        return read_yaml(bounded_text(path), str(path))
    except (OSError, ValueError) as error:
        message = f"unreadable: {why_unreadable(error)}"
        raise PersonaFileError([PersonaProblem(str(path), 1, 1, message)]) from error


def _placed(document: Document, folder: Path | None, expected_id: str | None) -> Reading:
    path = (folder or Path()) / document.source
    return _reading(document, path, folder, expected_id=expected_id)


def _reading(
    document: Document, path: Path, folder: Path | None, *, expected_id: str | None
) -> Reading:
    assembly = Assembly(folder)
    whole = assembly.of(document, path)
    problems = [*assembly.problems]
    for part in assembly.parts:
        problems.extend(problems_of_fragment(part))
    problems.extend(problems_of_persona(whole, document))
    fragments = tuple(assembly.files)
    if problems:
        return Reading(None, tuple(dict.fromkeys(problems)), fragments)
    persona = Persona.model_validate(whole.content, strict=True)
    if expected_id is not None and persona.id != expected_id:
        message = f"id {persona.id!r} must be the file's name {expected_id!r}"
        return Reading(None, (whole.problem(("id",), message),), fragments)
    return Reading(persona, (), fragments, whole.spot(("id",)))
