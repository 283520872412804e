"""One chat model at one address: how it decodes, what stands before it, what calls to it cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import Deadline
from qoe_service.provider import Answer, CallFailed, FailureKind, Question, Usage
from qoe_service.provider.background import BackgroundLoop
from qoe_service.provider.breaker import Breaker
from qoe_service.provider.budget import Budget, Tariff
from qoe_service.provider.caller import Caller
from qoe_service.provider.chat import Chat
from qoe_service.provider.chat_models import chat_model, http_client
from qoe_service.provider.concurrency import Limiter
from qoe_service.provider.retrying import Retrying

if TYPE_CHECKING:
    from qoe_service.settings import Settings

T = TypeVar("T")

CANARY_ATTEMPTS = 3

CLOSING_S = 5.0

CONNECTIONS = 1_024
"""At most; how many calls there are at a time is the limiter's business."""

Ask = Callable[[Question], Awaitable[Answer]]


@dataclass(frozen=True)
class Decoding:
    """How a model chooses its words; `None` leaves it to the model.

    seed: of the first sample; the others count on from it.
    """

    log_probabilities: bool
    temperature: float | None = 0.0
    seed: int | None = None
    max_tokens: int | None = 64


@dataclass(frozen=True, kw_only=True)
class ModelAt:
    """A model, where it is, and what its tokens cost, per million."""

    name: str
    base_url: str | None = None
    api_key: SecretStr | None = None
    input_price: float = 0.0
    output_price: float = 0.0

    @property
    def address(self) -> str:
        """Where it is, without secrets; `default` for the provider's own."""
        if self.base_url is None:
            return "default"
        parts = urlsplit(self.base_url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@dataclass(frozen=True)
class Gates:
    """What stands between a judge and its model.

    free_budget: of probes and health checks, which must not be stopped by what a run may spend.
    """

    budget: Budget
    breaker: Breaker
    free_budget: Budget = field(default_factory=Budget)
    limiter: Limiter = field(default_factory=Limiter)
    retrying: Retrying = field(default_factory=Retrying)
    attempt_timeout_s: float = 30.0


@dataclass
class Meter:
    """What one request has cost so far, in calls and in tokens."""

    calls: int = 0
    tokens: int = 0

    def add(self, usage: Usage | None) -> None:
        """A call cost this, or nobody said what."""
        if usage is not None:
            self.tokens += usage.input_tokens + usage.output_tokens


METER: ContextVar[Meter] = ContextVar("meter")
"""Charged by every call made in its context: a shared call by whoever asked first."""


class Endpoint:
    """A model with the event loop on which it is asked.

    Raises:
        JudgeUnavailable: if the model's provider is unknown, or its key is missing.
    """

    def __init__(self, model: ModelAt, gates: Gates, decodings: Sequence[Decoding]) -> None:
        self.model, self.gates = model, gates
        self._http = http_client(connections=CONNECTIONS)
        self._chats = {decoding: self._chat(decoding) for decoding in dict.fromkeys(decodings)}
        self.loop = BackgroundLoop(f"calls-to-{model.name}")

    def caller(self, decoding: Decoding) -> Caller:
        """Who asks in this decoding; what callers learn of the model's state they share."""
        return self._caller(decoding, self.gates.budget, self.gates.retrying)

    def canary_caller(self, decoding: Decoding) -> Caller:
        """Who asks for canaries: at no run's expense, and soon giving up."""
        retrying = self.gates.retrying
        policy = replace(retrying.policy, most_attempts=CANARY_ATTEMPTS)
        return self._caller(decoding, self.gates.free_budget, replace(retrying, policy=policy))

    def run(self, start: Callable[[], Awaitable[T]], deadline: Deadline, meter: Meter) -> T:
        """What comes of calls made on the event loop, and metered. Raises `CallFailed`."""

        async def metered() -> T:
            METER.set(meter)
            return await start()

        try:
            future = self.loop.run(metered())
        except RuntimeError as error:
            raise CallFailed(FailureKind.BROKEN, f"the judge is closed: {error}") from error
        try:
            return future.result(_a_little_more_than(deadline.left_s))
        except TimeoutError as error:
            future.cancel()
            raise CallFailed(FailureKind.SLOW, "the deadline passed") from error
        except CancelledError as error:
            raise CallFailed(FailureKind.BROKEN, "the judge was closed meanwhile") from error

    def close(self) -> None:
        """Cancel the calls in flight, close connections and ledger. Safe to call twice."""
        with suppress(RuntimeError, TimeoutError):  # closed before, or stuck
            self.loop.run(self._http.aclose()).result(CLOSING_S)
        self.loop.close()
        self.gates.budget.close()
        self.gates.free_budget.close()

    def _caller(self, decoding: Decoding, budget: Budget, retrying: Retrying) -> Caller:
        return Caller(
            _metered(self._chats[decoding].ask),
            retrying=retrying,
            breaker=self.gates.breaker,
            limiter=self.gates.limiter,
            budget=budget,
            tariff=Tariff(self.model.name, self.model.input_price, self.model.output_price),
            attempt_timeout_s=self.gates.attempt_timeout_s,
        )

    def _chat(self, decoding: Decoding) -> Chat:
        model = chat_model(
            self.model.name,
            base_url=self.model.base_url,
            api_key=self.model.api_key,
            http_client=self._http,
            temperature=decoding.temperature,
            seed=decoding.seed,
            max_tokens=decoding.max_tokens,
            log_probabilities=decoding.log_probabilities,
            timeout_s=self.gates.attempt_timeout_s,
        )
        return Chat(model, seed=decoding.seed)


def endpoint_of(
    settings: Settings,
    tier: str,
    decodings: Sequence[Decoding],
    *,
    budget: Budget,
    free_budget: Budget,
) -> Endpoint:
    """The endpoint that the settings name for a tier.

    Raises:
        JudgeUnavailable: if they name none, or it cannot be set up.
    """
    model = model_of(settings, tier)
    gates = Gates(
        budget,
        Breaker(f"{model.name} at {model.address}"),
        free_budget,
        Limiter(start=settings.concurrency, most=settings.most_concurrency),
        attempt_timeout_s=settings.attempt_timeout_s,
    )
    return Endpoint(model, gates, decodings)


def model_of(settings: Settings, tier: str) -> ModelAt:
    name: str | None = getattr(settings, f"{tier}_model")
    if name is None:
        raise JudgeUnavailable(f"no model is named; set QOE_{tier.upper()}_MODEL")
    base_url: str | None = getattr(settings, f"{tier}_base_url")
    own_key: SecretStr | None = getattr(settings, f"{tier}_api_key")
    speaks_openai = base_url is not None or ":" not in name or name.startswith("openai:")
    return ModelAt(
        name=name,
        base_url=base_url,
        api_key=own_key or (settings.openai_api_key if speaks_openai else None),
        input_price=getattr(settings, f"{tier}_input_price"),
        output_price=getattr(settings, f"{tier}_output_price"),
    )


def _a_little_more_than(left_s: float | None) -> float | None:
    """Whoever asks keeps the deadline itself; this is for an event loop that is stuck."""
    return None if left_s is None else left_s * 1.04 + 0.05


def _metered(ask: Ask) -> Ask:
    async def metered(question: Question) -> Answer:
        meter = METER.get()
        meter.calls += 1
        try:
            answer = await ask(question)
        except CallFailed as failure:
            meter.add(failure.usage)
            raise
        meter.add(answer.usage)
        return answer

    return metered
