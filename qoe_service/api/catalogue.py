"""Who judges and with what: `/v1/personas`, `/v1/personas/validate`, `/v1/judges`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from qoe_service.api.bodies import JSON, media_type, read_body
from qoe_service.api.errors import Flaw
from qoe_service.api.openapi import problems, reference, request_body
from qoe_service.errors import PersonaFileError, PersonaProblem, Place
from qoe_service.persona_documents import MAX_FILE_BYTES
from qoe_service.persona_files import parse_persona, parse_persona_json
from qoe_service.personas import Persona
from qoe_service.schemas import JudgeInfo

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
_BODY = request_body(
    {JSON: reference(Persona), **{kind: {"type": "string"} for kind in YAML_TYPES}}
)
_TOO_LONG = "a persona is a short text"
_SOURCE = "body"


class PersonaParser(Protocol):
    """`parse_persona`, or the same for JSON."""

    def __call__(self, text: str, /, *, source: str, folder: Path) -> Persona: ...


PARSERS: Mapping[str, PersonaParser] = {
    JSON: parse_persona_json,
    **dict.fromkeys(YAML_TYPES, parse_persona),
}


class PersonaCheck(BaseModel):
    """Whether a text is a persona file, and if not, everything that is wrong with it."""

    ok: bool
    persona: Persona | None = Field(default=None, description="The persona that it describes.")
    errors: tuple[Flaw, ...] = ()


def catalogue_routes(scorer: Scorer, persona_folder: Path) -> APIRouter:
    """The routes that tell what the service has."""
    router = APIRouter(prefix="/v1", tags=["catalogue"], responses=problems(401))

    @router.get("/personas")
    def personas() -> tuple[Persona, ...]:
        """Every persona this service knows."""
        return scorer.personas()

    @router.post("/personas/validate", openapi_extra=_BODY, responses=problems(401, 413, 415))
    async def validate(request: Request) -> PersonaCheck:
        """Check a persona, as the text of its file or as a JSON object, without storing it.

        What it includes is looked for in the folder of this service's personas.
        """
        parse = PARSERS[media_type(request, *PARSERS)]
        document = await read_body(request, MAX_FILE_BYTES, remedy=_TOO_LONG)
        return await anyio.to_thread.run_sync(check_persona, document, parse, persona_folder)

    @router.get("/judges")
    def judges() -> tuple[JudgeInfo, ...]:
        """The rungs of the ladder, best first."""
        return scorer.judges()

    return router


def check_persona(document: bytes, parse: PersonaParser, folder: Path) -> PersonaCheck:
    """What is found in a text that would be placed in a folder of personas."""
    try:
        persona = parse(document.decode("utf-8"), source=_SOURCE, folder=folder)
        return PersonaCheck(ok=True, persona=persona)
    except UnicodeDecodeError as error:
        message = f"not UTF-8: {error.reason} at byte {error.start}"
        return PersonaCheck(ok=False, errors=(Flaw(location=_SOURCE, message=message),))
    except PersonaFileError as error:
        flaws = tuple(_flaw(problem, folder) for problem in error.problems)
        return PersonaCheck(ok=False, errors=flaws)


def _flaw(problem: PersonaProblem, folder: Path) -> Flaw:
    """Where in the body it is wrong; of a fragment, where it is included."""
    here = Place(problem.source, problem.line, problem.column)
    *within, place = (here, *problem.included_by)
    chain = "".join(f"{_within(each, folder)}: " for each in reversed(within))
    return Flaw(
        location=f"line {place.line}, column {place.column}",
        message=f"{chain}{problem.message}",
        line=place.line,
        column=place.column,
    )


def _within(place: Place, folder: Path) -> Place:
    """The place without where on this machine the folder is."""
    return replace(place, source=os.path.relpath(place.source, folder))
