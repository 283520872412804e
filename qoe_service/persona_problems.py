"""What pydantic finds wrong with a persona, said with its place, its key and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from qoe_service.errors import PersonaProblem
from qoe_service.persona import Persona
from qoe_service.persona_documents import Document, Location

PERSONAL = ("id", "name")
"""What only a person has: a fragment has neither."""

_LONGEST_SHOWN = 80


def problems_of_persona(whole: Document, own: Document) -> Iterator[PersonaProblem]:
    """What is wrong with a complete persona; what is missing is missing in its `own` file."""
    for details in _errors(whole):
        document = own if details["type"] == "missing" else whole
        yield _problem(details, document)


def problems_of_fragment(part: Document) -> Iterator[PersonaProblem]:
    """What is wrong with a fragment by itself, which need not say everything."""
    for key in PERSONAL:
        if key in part.content:
            yield part.problem((key,), f"{key}: belongs to a person, not to a fragment; remove it")
    for details in _errors(part):
        if details["type"] != "missing" and details["loc"][:1] not in {(key,) for key in PERSONAL}:
            yield _problem(details, part)


def _errors(document: Document) -> list[ErrorDetails]:
    try:
        # Strict: a text that looks like a number, or `yes` for 1, is a slip of the pen.
        Persona.model_validate(document.content, strict=True)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _problem(details: ErrorDetails, document: Document) -> PersonaProblem:
    location: Location = details["loc"]
    return document.problem(location, f"{_dotted(location)}: {_message(details, location)}")


def _message(details: ErrorDetails, location: Location) -> str:
    given = details["input"]
    match details["type"]:
        case "missing":
            return "is required but not given"
        case "extra_forbidden":
            return f"unknown key{_nearest(str(location[-1]), _known_keys(location[:-1]))}"
        case "literal_error":
            known = ", ".join(re.findall(r"'([^']*)'", str(details["ctx"]["expected"])))
            return f"unknown {_shown(given)}; known are {known}"
        case "model_type":
            keys = ", ".join(_known_keys(location))
            return f"must be a mapping of {keys}, got {_shown(given)}"
        case "string_type":
            return f"must be text, got {_shown(given)}; put it into quotes"
    message = details["msg"].removeprefix("Value error, ")
    return f"{message}, got {_shown(given)}"


def _nearest(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _known_keys(parents: Sequence[int | str]) -> list[str]:
    model: Any = Persona
    for parent in parents:
        model = model.model_fields[str(parent)].annotation
    return list(model.model_fields) if issubclass(model, BaseModel) else []


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
