"""The service over HTTP, with the methods of the in-process `Scorer`.

Neither client retries: one retry loop belongs to the caller, who knows the deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from qoe_service import exchanges
from qoe_service.exchanges import (
    Call,
    Pictures,
    ProblemReply,
    Reply,
    ServiceOverloaded,
    ServiceUnreachable,
    UnreadableReply,
)
from qoe_service.personas import Persona
from qoe_service.reports.messages import MosReport, ReportRequest
from qoe_service.schemas import (
    JudgeInfo,
    Readiness,
    RewardsReply,
    RewardsRequest,
    ScoreReply,
    ScoreRequest,
)

__all__ = [
    "AsyncQoEClient",
    "ProblemReply",
    "QoEClient",
    "ServiceOverloaded",
    "ServiceUnreachable",
    "UnreadableReply",
]

DEFAULT_TIMEOUT_S = 60.0


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
            base_url=base_url,
            headers=exchanges.headers(api_key),
            timeout=timeout_s,
            transport=transport,
        )

    def score(self, request: ScoreRequest) -> ScoreReply:
        """The panel's opinion of each item, in order; see `Scorer.score`."""
        return self._send(exchanges.score(request))

    def rewards(
        self,
        pictures: Pictures,
        prompts: Sequence[str],
        *,
        personas: Sequence[str | Persona] | None = None,
        panel: int | None = None,
        population: str | None = None,
        deadline_ms: int | None = None,
        tier: str | None = None,
        run_id: str | None = None,
    ) -> RewardsReply:
        """Rewards in [0, 1] or None for pictures (N, H, W, 3) uint8; see `Scorer.rewards`."""
        asked = exchanges.stack_request(
            prompts,
            personas=personas,
            panel=panel,
            population=population,
            deadline_ms=deadline_ms,
            tier=tier,
            run_id=run_id,
        )
        return self._send(exchanges.stack(pictures, asked))

    def rewards_of_files(self, request: RewardsRequest) -> RewardsReply:
        """Rewards for picture files, which may differ in size and format."""
        return self._send(exchanges.reward_files(request))

    def report(self, request: ReportRequest) -> MosReport:
        """What ratings say: mean opinions and more; see `Scorer.report`."""
        return self._send(exchanges.report(request))

    def personas(self) -> tuple[Persona, ...]:
        """The personas the service knows."""
        return self._send(exchanges.PERSONAS)

    def judges(self) -> tuple[JudgeInfo, ...]:
        """The rungs of the service's ladder, best first."""
        return self._send(exchanges.JUDGES)

    def readiness(self) -> Readiness:
        """What each tier made of a canary picture just now."""
        return self._send(exchanges.READINESS)

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

    def _send(self, call: Call[Reply]) -> Reply:
        try:
            response = self._http.request(call.method, call.path, **call.options)
        except httpx.TransportError as error:
            raise exchanges.unreachable(self._http.base_url, error) from error
        return exchanges.read(response, call)


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
            base_url=base_url,
            headers=exchanges.headers(api_key),
            timeout=timeout_s,
            transport=transport,
        )

    async def score(self, request: ScoreRequest) -> ScoreReply:
        """The panel's opinion of each item, in order; see `Scorer.score`."""
        return await self._send(exchanges.score(request))

    async def rewards(
        self,
        pictures: Pictures,
        prompts: Sequence[str],
        *,
        personas: Sequence[str | Persona] | None = None,
        panel: int | None = None,
        population: str | None = None,
        deadline_ms: int | None = None,
        tier: str | None = None,
        run_id: str | None = None,
    ) -> RewardsReply:
        """Rewards in [0, 1] or None for pictures (N, H, W, 3) uint8; see `Scorer.rewards`."""
        asked = exchanges.stack_request(
            prompts,
            personas=personas,
            panel=panel,
            population=population,
            deadline_ms=deadline_ms,
            tier=tier,
            run_id=run_id,
        )
        return await self._send(exchanges.stack(pictures, asked))

    async def rewards_of_files(self, request: RewardsRequest) -> RewardsReply:
        """Rewards for picture files, which may differ in size and format."""
        return await self._send(exchanges.reward_files(request))

    async def report(self, request: ReportRequest) -> MosReport:
        """What ratings say: mean opinions and more; see `Scorer.report`."""
        return await self._send(exchanges.report(request))

    async def personas(self) -> tuple[Persona, ...]:
        """The personas the service knows."""
        return await self._send(exchanges.PERSONAS)

    async def judges(self) -> tuple[JudgeInfo, ...]:
        """The rungs of the service's ladder, best first."""
        return await self._send(exchanges.JUDGES)

    async def readiness(self) -> Readiness:
        """What each tier made of a canary picture just now."""
        return await self._send(exchanges.READINESS)

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

    async def _send(self, call: Call[Reply]) -> Reply:
        try:
            response = await self._http.request(call.method, call.path, **call.options)
        except httpx.TransportError as error:
            raise exchanges.unreachable(self._http.base_url, error) from error
        return exchanges.read(response, call)
