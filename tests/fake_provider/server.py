"""The web application: chat completions, the list of models, and the controls."""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.fake_provider import delivery
from tests.fake_provider.answers import Judgement, reply_to
from tests.fake_provider.behaviour import Behaviour, Control, changed
from tests.fake_provider.delivery import ClientLeft, Reply
from tests.fake_provider.misbehaviour import ERRORS, Misbehaviour
from tests.fake_provider.moods import score_in_mood
from tests.fake_provider.protocol import BadRequest, ChatRequest, error_body, parse_request
from tests.fake_provider.reading import read
from tests.fake_provider.sight import Eyes, UnreadablePicture
from tests.fake_provider.traffic import Traffic

MODEL = "fake-vlm"
"""The one model of `GET /v1/models`; a request may name any."""

NO_COMPLETION = b'{"status": "ok", "result": {"label": "good", "score": 4}}'


class State:
    """What the endpoints share and other threads change."""

    def __init__(self, behaviour: Behaviour, *, api_key: str | None, seed: int) -> None:
        self.behaviour = behaviour
        self.api_key = api_key
        self.seed = seed
        self.traffic = Traffic()
        self.eyes = Eyes()
        self._script: deque[Misbehaviour | None] = deque()
        self._lock = threading.Lock()

    def follow(self, script: Sequence[Misbehaviour | None]) -> None:
        """How the next calls go, in this order; an earlier script is dropped."""
        with self._lock:
            self._script = deque(script)

    def next_misbehaviour(self, rng: np.random.Generator) -> Misbehaviour | None:
        """By the script while there is one, then by the mix."""
        with self._lock:
            if self._script:
                return self._script.popleft()
        return self.behaviour.mix.draw(rng)


class ChatCompletions:
    """`POST /v1/chat/completions`, as an ASGI application: it must be able to misbehave."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._traffic = state.traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, and count it."""
        in_flight = self._traffic.arrives()
        try:
            body = await Request(scope, receive).body()
            await self._answer(scope, body, in_flight, receive, send)
        except (ClientLeft, ClientDisconnect):
            self._traffic.deserted()
        finally:
            self._traffic.leaves()

    async def _answer(
        self, scope: Scope, body: bytes, in_flight: int, receive: Receive, send: Send
    ) -> None:
        if refusal := self._refusal(scope, in_flight):
            return await self._send(refusal, send)
        try:
            request = parse_request(body)
            call = _Call(self._state, request, body)
        except (BadRequest, UnreadablePicture) as error:
            return await self._send(_error(400, str(error), "invalid_request_error"), send)
        return await self._go(call, receive, send)

    async def _go(self, call: _Call, receive: Receive, send: Send) -> None:
        """Think, then answer in the way that this call is to go."""
        kind = call.misbehaviour
        if kind is not None:
            self._traffic.misbehaves(kind)
        if kind in ERRORS:
            return await self._send(call.error(), send)
        if kind is Misbehaviour.HANG:
            await delivery.hang(receive)
        behaviour = call.behaviour
        await delivery.pause(receive, behaviour.service_time_s)
        reply = call.reply()
        # Counted before it goes out: who has an answer finds it in the report.
        self._traffic.replied(reply.status)
        if kind is None:
            self._traffic.answered(call.question)
        if kind is Misbehaviour.DRIP:
            await delivery.drip(reply, receive, send, interval_s=behaviour.drip_interval_s)
        elif kind is Misbehaviour.CUT:
            await delivery.cut(reply, send)
        else:
            await delivery.whole(reply, send)
        return None

    async def _send(self, reply: Reply, send: Send) -> None:
        self._traffic.replied(reply.status)
        await delivery.whole(reply, send)

    def _refusal(self, scope: Scope, in_flight: int) -> Reply | None:
        """What to say to a stranger, or to one caller too many."""
        limit = self._state.behaviour.concurrency_limit
        if limit is not None and in_flight > limit:
            self._traffic.refuses()
            return _busy(self._state.behaviour.retry_after_s)
        if self._state.api_key is None or _bearer(scope, self._state.api_key):
            return None
        return _error(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key")


class _Call:
    """One question on its way to an answer.

    Its chances come from the provider's seed, the question and how often it was asked, so that
    they do not depend on the order in which concurrent calls arrive.

    Raises:
        UnreadablePicture: if a picture is none.
    """

    def __init__(self, state: State, request: ChatRequest, body: bytes) -> None:
        self.behaviour = state.behaviour
        self.request = request
        self.reading = read(request, state.eyes)
        digest = blake2b(body, digest_size=8)
        self.question = digest.hexdigest()
        self._attempt = state.traffic.asked(self.question)
        state.traffic.read(self.reading)
        number = int.from_bytes(digest.digest())
        self._rng = np.random.default_rng([state.seed, number, self._attempt])
        self._number = number if request.seed is None else abs(request.seed)
        self.misbehaviour = state.next_misbehaviour(self._rng)

    def error(self) -> Reply:
        """The error that this call is to meet."""
        assert self.misbehaviour is not None
        if self.misbehaviour is Misbehaviour.BUSY_RETRY_AFTER:
            return _busy(self.behaviour.retry_after_s)
        return _error(*ERRORS[self.misbehaviour])

    def reply(self) -> Reply:
        """The answer, or what stands in for it."""
        if self.misbehaviour is Misbehaviour.WRONG_SCHEMA:
            return Reply(200, NO_COMPLETION)
        body = orjson.dumps(self._completion())
        if self.misbehaviour is Misbehaviour.TRUNCATED:
            body = body[: len(body) // 2]
        return Reply(200, body)

    def _completion(self) -> object:
        judgement = Judgement(
            request=self.request,
            reading=self.reading,
            score=score_in_mood(self.behaviour.mood, self.reading),
            rest_mass=self.behaviour.rest_mass,
            huge_bytes=self.behaviour.huge_bytes,
            token_letters=self.behaviour.token_letters,
            misbehaviour=self.misbehaviour,
        )
        name = f"chatcmpl-{self.question}-{self._attempt}"
        return reply_to(judgement, name=name, rng=self._chance_of_answer())

    def _chance_of_answer(self) -> np.random.Generator:
        """With a seed in the request, an equal request has an equal answer."""
        if self.request.seed is None:
            return self._rng
        return np.random.default_rng([self._number])


def create_app(state: State, *, vanish: Callable[[float], None]) -> Starlette:
    """The application. `vanish` closes the server for some seconds; it must not block."""

    async def models(request: Request) -> Response:
        del request
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}
        return _json({"object": "list", "data": [model]})

    async def control(request: Request) -> Response:
        try:
            order = Control.model_validate_json(await request.body())
            state.behaviour = changed(state.behaviour, order.behaviour)
        except ValidationError as error:
            return Response(error_body(str(error), kind="invalid_request_error"), 400)
        if order.script is not None:
            state.follow(order.script)
        if order.forget_traffic:
            state.traffic.forget()
        if order.gone_for_s is not None:
            # After the answer is out, which has gone by then.
            asyncio.get_running_loop().call_later(0.05, vanish, order.gone_for_s)
        return _json(state.behaviour.model_dump(mode="json"))

    async def traffic(request: Request) -> Response:
        del request
        return _json(state.traffic.report())

    return Starlette(
        routes=[
            Route("/v1/chat/completions", ChatCompletions(state), methods=["POST"]),
            Route("/v1/models", models),
            Route("/control", control, methods=["POST"]),
            Route("/control/traffic", traffic),
        ]
    )


def _bearer(scope: Scope, api_key: str) -> bool:
    given = dict(scope["headers"]).get(b"authorization", b"")
    return hmac.compare_digest(given, f"Bearer {api_key}".encode())


def _busy(retry_after_s: float) -> Reply:
    reply = _error(*ERRORS[Misbehaviour.BUSY_RETRY_AFTER])
    return Reply(reply.status, reply.body, {"retry-after": f"{retry_after_s:g}"})


def _error(status: int, message: str, kind: str, code: str | None = None) -> Reply:
    return Reply(status, error_body(message, kind=kind, code=code))


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
