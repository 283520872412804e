"""`/health/live` (the process answers) and `/health/ready` (the judges judge)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from qoe_service.api.workers import Workers
from qoe_service.schemas import Readiness

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer

_ONE_LOOK_AT_A_TIME = 1
_PROBES_IN_LINE = 8


def health_routes(scorer: Scorer) -> APIRouter:
    """The routes that an orchestrator watches; they need no key."""
    router = APIRouter(prefix="/health", tags=["health"])
    # Workers of their own: a service with a long line of requests is busy, not broken.
    workers = Workers(_ONE_LOOK_AT_A_TIME, _PROBES_IN_LINE)

    @router.get("/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/ready", responses={503: {"model": Readiness, "description": "None can judge"}})
    async def ready(response: Response) -> Readiness:
        """A canary picture judged by every tier, now.

        `degraded`: some tier cannot judge; the ladder still answers. `unavailable` (503): none can.
        """
        found = await workers.run(scorer.readiness)
        if found.status == "unavailable":
            response.status_code = 503
        return found

    return router
