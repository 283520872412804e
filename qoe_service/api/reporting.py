"""`POST /v1/report`: what ratings say, as JSON or as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from qoe_service.api.bodies import JSON, media_type, parse, read_body
from qoe_service.api.openapi import problems, reference, request_body
from qoe_service.api.workers import Workers
from qoe_service.reports.messages import MosReport, ReportRequest

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer

HTML = "text/html"

_ONE_REPORT_AT_A_TIME = 1
_REPORTS_IN_LINE = 16

_PAGE = {
    "description": "The report; as a page if `Accept` asks for text/html.",
    "content": {HTML: {}},
}


def reporting_routes(scorer: Scorer, *, max_body_bytes: int) -> APIRouter:
    """The route that reports."""
    router = APIRouter(
        prefix="/v1", tags=["reporting"], responses=problems(400, 401, 413, 415, 422, 429)
    )
    # Workers of their own: a large report takes seconds, for which no judgment should wait.
    workers = Workers(_ONE_REPORT_AT_A_TIME, _REPORTS_IN_LINE)

    @router.post(
        "/report",
        response_model=MosReport,
        responses={200: _PAGE},
        openapi_extra=request_body({JSON: reference(ReportRequest)}),
    )
    async def report(request: Request) -> Response:
        """What ITU-T P.800.2 asks for with a mean opinion score, from ratings.

        Mean opinions with intervals, shares of good and poor opinions, spread, subject model,
        screening, and whence differences come. What cannot be said is null; `limits` says why.
        """
        media_type(request, JSON)
        body = await read_body(request, max_body_bytes)
        asked = await anyio.to_thread.run_sync(parse, ReportRequest, body)
        as_page = _wants_page(request)
        return await workers.run(lambda: _answer(scorer.report(asked), as_page=as_page))

    return router


def _wants_page(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return HTML in accepted and JSON not in accepted


def _answer(report: MosReport, *, as_page: bool) -> Response:
    if not as_page:
        return Response(report.model_dump_json(), media_type=JSON)
    from qoe_service.reports.page import compose

    return Response(compose(report), media_type=HTML)
