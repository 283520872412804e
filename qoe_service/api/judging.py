"""`POST /v1/score` and `POST /v1/rewards`."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from qoe_service.api.bodies import (
    JSON,
    MULTIPART,
    media_type,
    parse,
    part,
    read_body,
    read_parts,
)
from qoe_service.api.openapi import problems, reference, request_body
from qoe_service.api.stacks import read_stack
from qoe_service.api.workers import Workers
from qoe_service.schemas import (
    Item,
    PanelRequest,
    RewardsReply,
    RewardsRequest,
    ScoreReply,
    ScoreRequest,
    StackRequest,
)

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer

Panel = TypeVar("Panel", bound=PanelRequest)

_PROBLEMS = problems(400, 401, 409, 413, 415, 422, 429)
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
_SCORE_BODY = request_body(
    {
        JSON: reference(ScoreRequest),
        MULTIPART: {
            "type": "object",
            "required": ["request"],
            "properties": {"request": reference(ScoreRequest)},
            "additionalProperties": {
                **_FILE,
                "description": "A picture file; an item's `image` is the name of its part.",
            },
        },
    }
)
_REWARDS_BODY = request_body(
    {
        JSON: reference(RewardsRequest),
        MULTIPART: {
            "type": "object",
            "required": ["pictures", "request"],
            "properties": {
                "pictures": {
                    "type": "string",
                    "contentMediaType": "application/x-npy",
                    "description": "uint8 (pictures, height, width, 3), as numpy.save writes it.",
                },
                "request": reference(StackRequest),
            },
        },
    }
)


def judging_routes(scorer: Scorer, workers: Workers, max_body_bytes: int) -> APIRouter:
    """The routes that ask for opinions."""
    router = APIRouter(prefix="/v1", tags=["judging"], responses=_PROBLEMS)

    @router.post("/score", response_model=ScoreReply, openapi_extra=_SCORE_BODY)
    async def score(request: Request) -> Response:
        """Opinions of each picture, persona by persona, and the panel's MOS.

        Results have the order and the length of the items. An item that cannot be judged is null
        with a status; the others are not affected.
        """
        arrived_s = time.monotonic()
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            parts = await read_parts(request, max_body_bytes)
            return await workers.run(
                lambda: _json(scorer.score(_in_time(_with_files(parts), arrived_s)))
            )
        body = await read_body(request, max_body_bytes)
        return await workers.run(
            lambda: _json(scorer.score(_in_time(parse(ScoreRequest, body), arrived_s)))
        )

    @router.post("/rewards", response_model=RewardsReply, openapi_extra=_REWARDS_BODY)
    async def rewards(request: Request) -> Response:
        """Numbers or nulls only, for training loops."""
        arrived_s = time.monotonic()
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            parts = await read_parts(request, max_body_bytes)
            return await workers.run(lambda: _json(_stack_rewards(scorer, parts, arrived_s)))
        body = await read_body(request, max_body_bytes)
        return await workers.run(lambda: _json(_file_rewards(scorer, body, arrived_s)))

    return router


def _stack_rewards(scorer: Scorer, parts: Mapping[str, bytes], arrived_s: float) -> RewardsReply:
    asked = _in_time(parse(StackRequest, part(parts, "request")), arrived_s)
    return scorer.rewards(
        read_stack(part(parts, "pictures")),
        asked.prompts,
        personas=asked.personas,
        panel=asked.panel,
        deadline_ms=asked.deadline_ms,
        tier=asked.tier,
        run_id=asked.run_id,
    )


def _file_rewards(scorer: Scorer, body: bytes, arrived_s: float) -> RewardsReply:
    return scorer.rewards_of_files(_in_time(parse(RewardsRequest, body), arrived_s))


def _with_files(parts: Mapping[str, bytes]) -> ScoreRequest:
    """The request whose items name the parts that hold their pictures."""
    named = parse(ScoreRequest, part(parts, "request"))
    items = tuple(_with_file(item, parts) for item in named.items)
    return named.model_copy(update={"items": items})


def _with_file(item: Item, parts: Mapping[str, bytes]) -> Item:
    image = base64.b64encode(part(parts, item.image)).decode("ascii")
    return item.model_copy(update={"image": image})


def _in_time(asked: Panel, arrived_s: float) -> Panel:
    """The request with the time already spent, reading and waiting, taken off its deadline."""
    if asked.deadline_ms is None:
        return asked
    spent_ms = int((time.monotonic() - arrived_s) * 1000)
    return asked.model_copy(update={"deadline_ms": max(1, asked.deadline_ms - spent_ms)})


def _json(reply: BaseModel) -> Response:
    return Response(reply.model_dump_json(), media_type=JSON)
