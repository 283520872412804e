"""What clients send to the service, and how they read what comes back.

QoEError
├── ServiceUnreachable   no answer: wrong address, service down, time ran out
├── ProblemReply         the service refused the request and said why
│   └── ServiceOverloaded   ... because too much is waiting; also an `Overloaded`
└── UnreadableReply      something answered, but not as this service does
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, TypeAdapter, ValidationError

from qoe_service.errors import Overloaded, QoEError
from qoe_service.personas import Persona
from qoe_service.provider.failures import retry_after_s
from qoe_service.reports.messages import MosReport, ReportRequest
from qoe_service.schemas import (
    JudgeInfo,
    Readiness,
    RewardsReply,
    RewardsRequest,
    ScoreReply,
    ScoreRequest,
    StackRequest,
)

Pictures = npt.NDArray[np.uint8]
Reply = TypeVar("Reply")


class UnreadableReply(QoEError):
    """Something answered, but not as this service does."""


class ServiceUnreachable(QoEError):
    """Nothing answered at the address, or not within the time."""


class ProblemReply(QoEError):
    """The service refused the request as a whole (RFC 9457 problem details).

    Attributes:
        status: the HTTP status.
        title: its short name.
        type: the kind of problem for programs, such as `urn:persona-qoe:problem:duplicate-id`.
        detail: what was wrong and what to do about it.
        errors: the flaws found, each with `location` and `message`.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        kind: str = "about:blank",
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status, self.title, self.detail = status, title, detail
        self.type, self.errors = kind, tuple(errors)


class ServiceOverloaded(ProblemReply, Overloaded):
    """The service has too much to do to answer in time; `retry_after_s` says when to ask again."""


@dataclass(frozen=True)
class Call(Generic[Reply]):
    """One exchange: what is sent, and the type of what comes back."""

    method: str
    path: str
    reply: TypeAdapter[Reply]
    options: Mapping[str, Any] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})


_SCORE_REPLY = TypeAdapter(ScoreReply)
_REWARDS_REPLY = TypeAdapter(RewardsReply)
_MOS_REPORT = TypeAdapter(MosReport)
PERSONAS = Call("GET", "/v1/personas", TypeAdapter(tuple[Persona, ...]))
JUDGES = Call("GET", "/v1/judges", TypeAdapter(tuple[JudgeInfo, ...]))
READINESS = Call("GET", "/health/ready", TypeAdapter(Readiness), accepted=frozenset({200, 503}))


def headers(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}


def score(request: ScoreRequest) -> Call[ScoreReply]:
    return Call("POST", "/v1/score", _SCORE_REPLY, _json(request))


def reward_files(request: RewardsRequest) -> Call[RewardsReply]:
    return Call("POST", "/v1/rewards", _REWARDS_REPLY, _json(request))


def report(request: ReportRequest) -> Call[MosReport]:
    return Call("POST", "/v1/report", _MOS_REPORT, _json(request))


def _json(request: BaseModel) -> dict[str, Any]:
    return {
        "content": request.model_dump_json(),
        "headers": {"Content-Type": "application/json"},
    }


def stack_request(
    prompts: Sequence[str],
    *,
    personas: Sequence[str | Persona] | None,
    panel: int | None,
    population: str | None,
    deadline_ms: int | None,
    tier: str | None,
    run_id: str | None,
) -> StackRequest:
    return StackRequest(
        prompts=tuple(prompts),
        personas=None if personas is None else tuple(personas),
        panel=panel,
        population=population,
        deadline_ms=deadline_ms,
        tier=tier,
        run_id=run_id,
    )


def stack(pictures: Pictures, asked: StackRequest) -> Call[RewardsReply]:
    file = io.BytesIO()
    np.save(file, pictures, allow_pickle=False)
    parts = {
        "pictures": ("pictures.npy", file.getvalue(), "application/x-npy"),
        "request": ("request.json", asked.model_dump_json().encode(), "application/json"),
    }
    return Call("POST", "/v1/rewards", _REWARDS_REPLY, {"files": parts})


def read(response: httpx.Response, call: Call[Reply]) -> Reply:
    if response.status_code not in call.accepted:
        raise _problem(response)
    try:
        return call.reply.validate_json(response.content)
    except ValidationError as error:
        if response.is_error:
            raise _problem(response) from error
        raise UnreadableReply(f"{response.url} is no QoE service: {error}") from error


def _problem(response: httpx.Response) -> ProblemReply:
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {"detail": response.text[:200]}
    overloaded = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    problem = (ServiceOverloaded if overloaded else ProblemReply)(
        response.status_code,
        said.get("title", response.reason_phrase),
        said.get("detail", "no reason was given"),
        kind=said.get("type", "about:blank"),
        errors=said.get("errors", ()),
    )
    if isinstance(problem, ServiceOverloaded):
        wait_s = retry_after_s(response.headers, time.time())
        problem.retry_after_s = problem.retry_after_s if wait_s is None else wait_s
    return problem


def unreachable(base_url: httpx.URL, error: httpx.TransportError) -> ServiceUnreachable:
    if isinstance(error, httpx.TimeoutException):
        reason = "did not answer in time; raise timeout_s or send smaller batches"
    else:
        reason = f"could not be reached ({error}); is 'qoe serve' running there?"
    return ServiceUnreachable(f"{base_url} {reason}")
