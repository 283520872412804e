"""Who judges and with what: `/v1/personas`, `/v1/personas/validate`, `/v1/judges`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from qoe_service.api.bodies import media_type, read_body
from qoe_service.api.errors import Flaw
from qoe_service.api.openapi import problems, request_body
from qoe_service.errors import PersonaFileError, PersonaProblem
from qoe_service.persona_documents import MAX_FILE_BYTES
from qoe_service.persona_files import parse_persona
from qoe_service.personas import Persona
from qoe_service.schemas import JudgeInfo

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
_YAML_BODY = request_body({kind: {"type": "string"} for kind in YAML_TYPES})


class PersonaCheck(BaseModel):
    """Whether a text is a persona file, and if not, everything that is wrong with it."""

    ok: bool
    persona: Persona | None = Field(default=None, description="The persona that it describes.")
    errors: tuple[Flaw, ...] = ()


def catalogue_routes(scorer: Scorer) -> APIRouter:
    """The routes that tell what the service has."""
    router = APIRouter(prefix="/v1", tags=["catalogue"], responses=problems(401))

    @router.get("/personas")
    def personas() -> tuple[Persona, ...]:
        """Every persona this service knows."""
        return scorer.personas()

    @router.post("/personas/validate", openapi_extra=_YAML_BODY, responses=problems(401, 413, 415))
    async def validate(request: Request) -> PersonaCheck:
        """Check the text of a persona file, without storing it."""
        media_type(request, *YAML_TYPES)
        return check_persona(await read_body(request, MAX_FILE_BYTES))

    @router.get("/judges")
    def judges() -> tuple[JudgeInfo, ...]:
        """The rungs of the ladder, best first."""
        return scorer.judges()

    return router


def check_persona(document: bytes) -> PersonaCheck:
    """What `parse_persona` finds in a text, as a message."""
    try:
        text = document.decode("utf-8")
        return PersonaCheck(ok=True, persona=parse_persona(text, source="body"))
    except UnicodeDecodeError as error:
        message = f"not UTF-8: {error.reason} at byte {error.start}"
        return PersonaCheck(ok=False, errors=(Flaw(location="body", message=message),))
    except PersonaFileError as error:
        return PersonaCheck(ok=False, errors=tuple(_flaw(found) for found in error.problems))


def _flaw(problem: PersonaProblem) -> Flaw:
    return Flaw(
        location=f"line {problem.line}, column {problem.column}",
        message=problem.message,
        line=problem.line,
        column=problem.column,
    )
