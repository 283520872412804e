"""The service over HTTP, with the methods of the in-process `Scorer`.

    QoEError
    ├── ServiceUnreachable   no answer: wrong address, service down, time ran out
    ├── ProblemReply         the service refused the request and said why
    └── UnreadableReply      something answered, but not as this service does

Neither client retries: one retry loop belongs to the caller, who knows the deadline.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, TypeAdapter, ValidationError

from qoe_service.errors import QoEError
from qoe_service.personas import Persona
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

DEFAULT_TIMEOUT_S = 60.0


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


@dataclass(frozen=True)
class _Call(Generic[Reply]):
    """One exchange: what is sent, and the type of what comes back."""

    method: str
    path: str
    reply: TypeAdapter[Reply]
    options: Mapping[str, Any] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})


_SCORE_REPLY = TypeAdapter(ScoreReply)
_REWARDS_REPLY = TypeAdapter(RewardsReply)
_PERSONAS = _Call("GET", "/v1/personas", TypeAdapter(tuple[Persona, ...]))
_JUDGES = _Call("GET", "/v1/judges", TypeAdapter(tuple[JudgeInfo, ...]))
_READINESS = _Call("GET", "/health/ready", TypeAdapter(Readiness), accepted=frozenset({200, 503}))


class QoEClient:
    """Asks a running service.

    Args:
        base_url: such as `http://127.0.0.1:8000`.
        api_key: one of the service's keys, if it has any.
        timeout_s: how long one call may take in all its phases before `ServiceUnreachable`.
        transport: another way to reach the service, as httpx offers (a proxy, an ASGI app).

    One client may be used by many threads; it keeps its connections open until `close`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url, headers=_headers(api_key), timeout=timeout_s, transport=transport
        )

    def score(self, request: ScoreRequest) -> ScoreReply:
        """The panel's opinion of each item, in order; see `Scorer.score`."""
        return self._send(_score(request))

    def rewards(
        self,
        pictures: Pictures,
        prompts: Sequence[str],
        *,
        personas: Sequence[str] | None = None,
        panel: int | None = None,
        deadline_ms: int | None = None,
        tier: str | None = None,
    ) -> RewardsReply:
        """Rewards in [0, 1] or None for pictures (N, H, W, 3) uint8; see `Scorer.rewards`."""
        asked = _stack_request(prompts, personas, panel, deadline_ms, tier)
        return self._send(_stack(pictures, asked))

    def rewards_of_files(self, request: RewardsRequest) -> RewardsReply:
        """Rewards for picture files, which may differ in size and format."""
        return self._send(_reward_files(request))

    def personas(self) -> tuple[Persona, ...]:
        """The personas the service knows."""
        return self._send(_PERSONAS)

    def judges(self) -> tuple[JudgeInfo, ...]:
        """The rungs of the service's ladder, best first."""
        return self._send(_JUDGES)

    def readiness(self) -> Readiness:
        """What each tier made of a canary picture just now."""
        return self._send(_READINESS)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, call: _Call[Reply]) -> Reply:
        try:
            response = self._http.request(call.method, call.path, **call.options)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _read(response, call)


class AsyncQoEClient:
    """`QoEClient` for asyncio: the same arguments and methods, awaited."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=_headers(api_key), timeout=timeout_s, transport=transport
        )

    async def score(self, request: ScoreRequest) -> ScoreReply:
        """The panel's opinion of each item, in order; see `Scorer.score`."""
        return await self._send(_score(request))

    async def rewards(
        self,
        pictures: Pictures,
        prompts: Sequence[str],
        *,
        personas: Sequence[str] | None = None,
        panel: int | None = None,
        deadline_ms: int | None = None,
        tier: str | None = None,
    ) -> RewardsReply:
        """Rewards in [0, 1] or None for pictures (N, H, W, 3) uint8; see `Scorer.rewards`."""
        asked = _stack_request(prompts, personas, panel, deadline_ms, tier)
        return await self._send(_stack(pictures, asked))

    async def rewards_of_files(self, request: RewardsRequest) -> RewardsReply:
        """Rewards for picture files, which may differ in size and format."""
        return await self._send(_reward_files(request))

    async def personas(self) -> tuple[Persona, ...]:
        """The personas the service knows."""
        return await self._send(_PERSONAS)

    async def judges(self) -> tuple[JudgeInfo, ...]:
        """The rungs of the service's ladder, best first."""
        return await self._send(_JUDGES)

    async def readiness(self) -> Readiness:
        """What each tier made of a canary picture just now."""
        return await self._send(_READINESS)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _send(self, call: _Call[Reply]) -> Reply:
        try:
            response = await self._http.request(call.method, call.path, **call.options)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _read(response, call)


def _headers(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}


def _score(request: ScoreRequest) -> _Call[ScoreReply]:
    return _Call("POST", "/v1/score", _SCORE_REPLY, _json(request))


def _reward_files(request: RewardsRequest) -> _Call[RewardsReply]:
    return _Call("POST", "/v1/rewards", _REWARDS_REPLY, _json(request))


def _json(request: BaseModel) -> dict[str, Any]:
    return {
        "content": request.model_dump_json(),
        "headers": {"Content-Type": "application/json"},
    }


def _stack_request(
    prompts: Sequence[str],
    personas: Sequence[str] | None,
    panel: int | None,
    deadline_ms: int | None,
    tier: str | None,
) -> StackRequest:
    return StackRequest(
        prompts=tuple(prompts),
        personas=None if personas is None else tuple(personas),
        panel=panel,
        deadline_ms=deadline_ms,
        tier=tier,
    )


def _stack(pictures: Pictures, asked: StackRequest) -> _Call[RewardsReply]:
    file = io.BytesIO()
    np.save(file, pictures, allow_pickle=False)
    parts = {
        "pictures": ("pictures.npy", file.getvalue(), "application/x-npy"),
        "request": ("request.json", asked.model_dump_json().encode(), "application/json"),
    }
    return _Call("POST", "/v1/rewards", _REWARDS_REPLY, {"files": parts})


def _read(response: httpx.Response, call: _Call[Reply]) -> Reply:
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
    return ProblemReply(
        response.status_code,
        said.get("title", response.reason_phrase),
        said.get("detail", "no reason was given"),
        kind=said.get("type", "about:blank"),
        errors=said.get("errors", ()),
    )


def _unreachable(base_url: httpx.URL, error: httpx.TransportError) -> ServiceUnreachable:
    if isinstance(error, httpx.TimeoutException):
        reason = "did not answer in time; raise timeout_s or send smaller batches"
    else:
        reason = f"could not be reached ({error}); is 'qoe serve' running there?"
    return ServiceUnreachable(f"{base_url} {reason}")
