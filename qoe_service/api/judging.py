"""`POST /v1/score` and `POST /v1/rewards`."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread
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
from qoe_service.judges import Deadline
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


def judging_routes(
    scorer: Scorer, workers: Workers, *, max_body_bytes: int, default_deadline_ms: int | None
) -> APIRouter:
    """The routes that ask for opinions."""
    router = APIRouter(prefix="/v1", tags=["judging"], responses=_PROBLEMS)

    async def judged(
        asked: Panel, arrived_s: float, judge: Callable[[Panel], BaseModel]
    ) -> Response:
        """The reply, once it is this request's turn; what it waited is taken off its deadline."""
        limit_ms = asked.deadline_ms or default_deadline_ms
        deadline = Deadline() if limit_ms is None else Deadline(arrived_s + limit_ms / 1e3)
        return await workers.run(lambda: _json(judge(_in_time(asked, deadline))), deadline)

    @router.post("/score", response_model=ScoreReply, openapi_extra=_SCORE_BODY)
    async def score(request: Request) -> Response:
        """Opinions of each picture, persona by persona, and the panel's MOS.

        Results have the order and the length of the items. An item that cannot be judged is null
        with a status; the others are not affected.
        """
        arrived_s = time.monotonic()
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            parts = await read_parts(request, max_body_bytes)
            named = await _parsed(ScoreRequest, part(parts, "request"))
            return await judged(
                named, arrived_s, lambda asked: scorer.score(_with_files(asked, parts))
            )
        asked = await _parsed(ScoreRequest, await read_body(request, max_body_bytes))
        return await judged(asked, arrived_s, scorer.score)

    @router.post("/rewards", response_model=RewardsReply, openapi_extra=_REWARDS_BODY)
    async def rewards(request: Request) -> Response:
        """Numbers or nulls only, for training loops."""
        arrived_s = time.monotonic()
        if media_type(request, JSON, MULTIPART) == MULTIPART:
            parts = await read_parts(request, max_body_bytes)
            stack = await _parsed(StackRequest, part(parts, "request"))
            return await judged(
                stack, arrived_s, lambda asked: _stack_rewards(scorer, asked, parts)
            )
        asked = await _parsed(RewardsRequest, await read_body(request, max_body_bytes))
        return await judged(asked, arrived_s, scorer.rewards_of_files)

    return router


async def _parsed(kind: type[Panel], document: bytes) -> Panel:
    """Parsed in a thread, before its turn: it says how long it may wait."""
    return await anyio.to_thread.run_sync(parse, kind, document)


def _stack_rewards(scorer: Scorer, asked: StackRequest, parts: Mapping[str, bytes]) -> RewardsReply:
    return scorer.rewards(
        read_stack(part(parts, "pictures")),
        asked.prompts,
        personas=asked.personas,
        panel=asked.panel,
        population=asked.population,
        deadline_ms=asked.deadline_ms,
        tier=asked.tier,
        run_id=asked.run_id,
    )


def _with_files(named: ScoreRequest, parts: Mapping[str, bytes]) -> ScoreRequest:
    """The request whose items name the parts that hold their pictures."""
    items = tuple(_with_file(item, parts) for item in named.items)
    return named.model_copy(update={"items": items})


def _with_file(item: Item, parts: Mapping[str, bytes]) -> Item:
    image = base64.b64encode(part(parts, item.image)).decode("ascii")
    return item.model_copy(update={"image": image})


def _in_time(asked: Panel, deadline: Deadline) -> Panel:
    """The request with what is left until its deadline, after reading and waiting."""
    left_s = deadline.left_s
    if left_s is None:
        return asked
    return asked.model_copy(update={"deadline_ms": max(1, int(left_s * 1e3))})


def _json(reply: BaseModel) -> Response:
    return Response(reply.model_dump_json(), media_type=JSON)
