"""The web application: HTTP around a `Scorer`, and nothing that judges."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse

from qoe_service.api import errors, openapi
from qoe_service.api.catalogue import catalogue_routes
from qoe_service.api.health import health_routes
from qoe_service.api.judging import judging_routes
from qoe_service.api.reporting import reporting_routes
from qoe_service.api.security import api_key_guard
from qoe_service.api.workers import Workers
from qoe_service.personas import shipped_folder

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer
    from qoe_service.settings import Settings

DESCRIPTION = (
    "Big-Five personas say how much they like generated pictures. Send pictures with the prompts "
    "that asked for them; get opinion scores on the ITU 1-5 scale, rewards in [0, 1], and null "
    "with a status, never a number, where nothing could be judged."
)


def create_app(scorer: Scorer, settings: Settings) -> FastAPI:
    """The service's HTTP face. The caller owns `scorer` and closes it after the last request."""
    app = FastAPI(title="persona-qoe", version=version("persona-qoe"), description=DESCRIPTION)
    errors.install(app)
    openapi.describe(app)
    keys = [key.get_secret_value() for key in settings.api_keys]
    guarded = [Depends(api_key_guard(keys))]
    workers = Workers(settings.concurrent_requests, settings.waiting_requests)
    app.include_router(
        judging_routes(
            scorer,
            workers,
            max_body_bytes=settings.max_body_bytes,
            default_deadline_ms=settings.default_deadline_ms,
        ),
        dependencies=guarded,
    )
    reports = reporting_routes(scorer, max_body_bytes=settings.max_body_bytes)
    app.include_router(reports, dependencies=guarded)
    personas = settings.personas or shipped_folder()
    app.include_router(catalogue_routes(scorer, personas), dependencies=guarded)
    app.include_router(health_routes(scorer))
    app.add_api_route("/", _to_docs, include_in_schema=False)
    return app


async def _to_docs() -> RedirectResponse:
    return RedirectResponse("/docs")
