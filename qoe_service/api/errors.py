"""Everything that is wrong with a request as a whole, as RFC 9457 problem details.

Trouble with a single item is no problem document: the reply is a 200 whose result for that item
is null with a status.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from qoe_service.errors import (
    NoRecord,
    Overloaded,
    RequestError,
    TooManyItems,
    UnusableRecord,
)

PROBLEM_JSON = "application/problem+json"

log = logging.getLogger(__name__)

_STATUS_OF: Mapping[type[RequestError], int] = {TooManyItems: 413, NoRecord: 409}
"""Those that are not simply 422."""


class Flaw(BaseModel):
    """One thing that is wrong, and where."""

    location: str = Field(description="Path to the offending field, such as `items[3].prompt`.")
    message: str
    item: str | None = Field(
        default=None, description="The id of the offending item, if it has one."
    )
    line: int | None = Field(default=None, description="Line of a checked text, counted from 1.")
    column: int | None = Field(default=None, description="Column of a checked text, from 1.")


class Problem(BaseModel):
    """RFC 9457 problem details, with the flaws found as an extension."""

    type: str = Field(default="about:blank", description="The kind of problem, for programs.")
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[Flaw, ...] = ()


class ProblemError(Exception):
    """Raised anywhere below a route to answer the request with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        errors: Iterable[Flaw] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.type = "about:blank" if kind is None else f"urn:persona-qoe:problem:{kind}"
        self.errors, self.headers = tuple(errors), headers


def invalid(error: ValidationError, document: bytes) -> ProblemError:
    """The problem that says which items and fields of `document` are wrong, and why."""
    flaws = [
        Flaw(
            location=_path(found["loc"]) or "body",
            message=_without_prefix(found["msg"]),
            item=_item_id(document, found["loc"]),
        )
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return ProblemError(422, _summary(flaws), errors=flaws)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    answers: dict[type[Exception], Any] = {
        ProblemError: _answer,
        RequestError: _answer_request_error,
        Overloaded: _answer_overloaded,
        UnusableRecord: _answer_unusable_record,
        HTTPException: _answer_http_error,
        Exception: _answer_bug,
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, answer)


def _summary(flaws: list[Flaw]) -> str:
    first = flaws[0]
    where = first.location if first.item is None else f"{first.location} (item {first.item!r})"
    others = f", and {len(flaws) - 1} more" if len(flaws) > 1 else ""
    return f"{where}: {first.message}{others}"


def _path(location: Iterable[str | int]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _without_prefix(message: str) -> str:
    return message.removeprefix("Value error, ")


def _item_id(document: bytes, location: tuple[int | str, ...]) -> str | None:
    match location:
        case ("items", int(index), *_):
            try:
                found = orjson.loads(document)["items"][index]["id"]
            except (orjson.JSONDecodeError, LookupError, TypeError):
                return None
            return found if isinstance(found, str) else None
    return None


def _answer(request: Request, error: ProblemError) -> Response:
    problem = Problem(
        type=error.type,
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        instance=request.url.path,
        errors=error.errors,
    )
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, error.status, error.headers, media_type=PROBLEM_JSON)


def _answer_request_error(request: Request, error: RequestError) -> Response:
    status = _STATUS_OF.get(type(error), 422)
    return _answer(request, ProblemError(status, str(error), kind=error.code))


def _answer_overloaded(request: Request, error: Overloaded) -> Response:
    headers = {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    return _answer(request, ProblemError(429, str(error), kind="overloaded", headers=headers))


def _answer_unusable_record(request: Request, error: UnusableRecord) -> Response:
    log.error("%s %s failed: %s", request.method, request.url.path, error)
    return _answer(request, ProblemError(500, str(error), kind="unusable-record"))


def _answer_http_error(request: Request, error: HTTPException) -> Response:
    detail = {
        404: f"There is nothing at {request.url.path}; the API is described at /docs.",
        405: f"{request.url.path} does not answer {request.method}.",
    }.get(error.status_code, str(error.detail))
    return _answer(request, ProblemError(error.status_code, detail, headers=error.headers))


def _answer_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(request, ProblemError(500, "The service failed; its log says why."))
