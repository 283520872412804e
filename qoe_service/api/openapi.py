"""The OpenAPI description of bodies that the routes read themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from qoe_service.api.errors import PROBLEM_JSON, Problem
from qoe_service.reports.messages import ReportRequest
from qoe_service.schemas import RewardsRequest, ScoreRequest, StackRequest

_REFERENCE = "#/components/schemas/{model}"
_DESCRIBED: tuple[type[BaseModel], ...] = (
    Problem,
    ReportRequest,
    RewardsRequest,
    ScoreRequest,
    StackRequest,
)

Schema = Mapping[str, Any]


def request_body(content: Mapping[str, Schema]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself: a schema per content type."""
    bodies = {kind: {"schema": schema} for kind, schema in content.items()}
    return {"requestBody": {"required": True, "content": bodies}}


def reference(model: type[BaseModel]) -> Schema:
    """Where the schema of `model` stands in the document."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that may answer with problem documents of these statuses."""
    content = {PROBLEM_JSON: {"schema": reference(Problem)}}
    return {status: {"description": "Problem details", "content": content} for status in statuses}


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` hold the schemas that `request_body` and `problems` refer to."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, described = models_json_schema(
        [(model, "validation") for model in _DESCRIBED], ref_template=_REFERENCE
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    document["components"]["schemas"] = dict(sorted({**described["$defs"], **schemas}.items()))
    return document
