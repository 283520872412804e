"""Reading persona files: YAML in, personas out, and errors that point at the line.

Every problem of a file is told at once, with the nearest known key where a key is unknown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from qoe_service.errors import PersonaFileError, PersonaProblem
from qoe_service.personas import Persona

Location = tuple[int | str, ...]

MAX_FILE_BYTES = 65_536


def load_personas(folder: Path) -> tuple[Persona, ...]:
    """Every `*.yaml` of a folder, by id.

    Raises:
        PersonaFileError: with all problems of all files, and the personas that are right.
    """
    if not folder.is_dir():
        raise PersonaFileError(
            [PersonaProblem(str(folder), 1, 1, "no such folder of personas; QOE_PERSONAS names it")]
        )
    valid: list[Persona] = []
    problems: list[PersonaProblem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            valid.append(load_persona(path))
        except PersonaFileError as error:
            problems.extend(error.problems)
    if not valid and not problems:
        problems.append(
            PersonaProblem(
                str(folder), 1, 1, "holds no persona file (*.yaml); `qoe personas new` writes one"
            )
        )
    if problems:
        raise PersonaFileError(problems, valid)
    return tuple(valid)


def load_persona(path: Path) -> Persona:
    """The persona of one file, whose id must be the file's name.

    That rule also makes an id unique: two files of one folder cannot bear the same name.

    Raises:
        PersonaFileError: with every problem of the file.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PersonaFileError(
                [PersonaProblem(str(path), 1, 1, f"larger than {MAX_FILE_BYTES} bytes; shorten it")]
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PersonaFileError([PersonaProblem(str(path), 1, 1, f"unreadable: {error}")]) from error
    return parse_persona(text, source=str(path), expected_id=path.stem)


def parse_persona(text: str, *, source: str, expected_id: str | None = None) -> Persona:
    """The persona that a YAML text describes; `source` names the text in errors.

    Raises:
        PersonaFileError: with every problem of the text.
    """
    document = _Document(text, source)
    try:
        persona = Persona.model_validate(document.content)
    except ValidationError as error:
        raise PersonaFileError(list(_problems(error, document))) from None
    if expected_id is not None and persona.id != expected_id:
        message = f"id {persona.id!r} must be the file's name {expected_id!r}"
        raise PersonaFileError([document.problem(("id",), message)])
    return persona


class _Document:
    """A YAML text that remembers where each of its keys stands."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._marks: dict[Location, yaml.Mark] = {}
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.content: Any = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            message = f"not valid YAML: {error.problem or error.context}"
            raise PersonaFileError([PersonaProblem(source, line, column, message)]) from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            message = f"not valid YAML: {error}"
            raise PersonaFileError([PersonaProblem(source, 1, 1, message)]) from None
        duplicates = list(self._walk(root, ()))
        if duplicates:
            raise PersonaFileError(duplicates)
        if not isinstance(self.content, dict):
            message = "must be a mapping of keys to values, as `qoe personas new` writes it"
            raise PersonaFileError([PersonaProblem(source, 1, 1, message)])

    def problem(self, location: Location, message: str) -> PersonaProblem:
        """A problem at a key, or at the nearest one around it that the text has."""
        known = next(
            (
                location[:end]
                for end in range(len(location), -1, -1)
                if location[:end] in self._marks
            ),
            (),
        )
        mark = self._marks.get(known)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return PersonaProblem(self.source, line, column, message)

    def _walk(self, node: yaml.Node | None, location: Location) -> Iterator[PersonaProblem]:
        if not isinstance(node, yaml.MappingNode):
            return
        self._marks.setdefault(location, node.start_mark)
        for key, value in node.value:
            place = (*location, str(key.value))
            if place in self._marks:
                mark = key.start_mark
                message = f"key {key.value!r} is given twice"
                yield PersonaProblem(self.source, mark.line + 1, mark.column + 1, message)
            self._marks[place] = key.start_mark
            yield from self._walk(value, place)


def _problems(error: ValidationError, document: _Document) -> Iterator[PersonaProblem]:
    for details in error.errors(include_url=False):
        location: Location = details["loc"]
        yield document.problem(location, f"{_dotted(location)}: {_message(details, location)}")


def _message(details: ErrorDetails, location: Location) -> str:
    if details["type"] == "missing":
        return "is required but not given"
    if details["type"] == "extra_forbidden":
        return f"unknown key{_nearest(location)}"
    return f"{details['msg']}, got {details['input']!r}"


def _nearest(location: Location) -> str:
    known = _known_keys(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _known_keys(parents: Sequence[int | str]) -> list[str]:
    model: type[BaseModel] = Persona
    for parent in parents:
        model = model.model_fields[str(parent)].annotation  # type: ignore[assignment]
    return list(model.model_fields)


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)
