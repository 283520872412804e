"""Chat models by name: any OpenAI-compatible endpoint, or any provider LangChain knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from qoe_service.errors import JudgeUnavailable
from qoe_service.provider.failures import ReplyTooLong

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NO_KEY = SecretStr("no-key")
"""For servers that ask for none; the SDK insists on sending something."""
MOST_ALTERNATIVES = 20
"""What the chat-completions protocol allows for `top_logprobs`."""
LONGEST_REPLY_BYTES = 4 * 2**20
"""256 tokens with 20 alternatives each are about half a megabyte of JSON."""


def chat_model(
    model: str,
    *,
    base_url: str | None = None,
    api_key: SecretStr | None = None,
    http_client: httpx.AsyncClient | None = None,
    temperature: float | None = 0.0,
    seed: int | None = None,
    max_tokens: int | None = 64,
    log_probabilities: bool = True,
    timeout_s: float = 60.0,
) -> BaseChatModel:
    """A chat model that tries once.

    An address is always spoken to in OpenAI's protocol, whatever the model is called there. Without
    one, `provider:model` is LangChain's `init_chat_model`, and a plain name is OpenAI's own.

    Args:
        http_client: as `http_client` makes it; share one among the models of an event loop.
        temperature, seed, max_tokens: `None` to leave it to the model.
        log_probabilities: ask for each token's 20 likeliest alternatives, where the protocol can.

    Raises:
        JudgeUnavailable: if the provider is unknown or not installed, or a key is missing.
    """
    common = {"temperature": temperature, "timeout": timeout_s, "max_retries": 0, "cache": False}
    provider, colon, rest = model.partition(":")
    try:
        if base_url is None and colon and provider != "openai":
            return _langchain_model(model, api_key, common | {"max_tokens": max_tokens})
        drawing: dict[str, Any] = {"seed": seed, "http_async_client": http_client}
        if log_probabilities:
            drawing |= {"logprobs": True, "top_logprobs": MOST_ALTERNATIVES}
        if base_url is None:
            name = rest if colon else model
            return _openai_model(name, api_key, common | drawing | {"max_tokens": max_tokens})
        if max_tokens is not None:  # other servers know the parameter by its older name
            drawing |= {"extra_body": {"max_tokens": max_tokens}}
        drawing |= {"base_url": base_url}
        return _openai_model(model, api_key or NO_KEY, common | drawing)
    except Exception as error:  # every provider's package raises its own
        reason = f"the chat model {model!r} could not be set up: {error}"
        raise JudgeUnavailable(reason) from error


def http_client(
    *, connections: int = 100, longest_reply_bytes: int = LONGEST_REPLY_BYTES
) -> httpx.AsyncClient:
    """An HTTP client for the models of one event loop; `await client.aclose()` it there.

    It keeps connections open and cuts off replies that have no end in sight.
    """

    async def limit_reply(response: httpx.Response) -> None:
        response.stream = _LimitedStream(response.stream, longest_reply_bytes)

    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0
    )
    return httpx.AsyncClient(
        limits=limits, follow_redirects=True, event_hooks={"response": [limit_reply]}
    )


class _LimitedStream(httpx.AsyncByteStream):
    """A reply's body that raises `ReplyTooLong` at the limit."""

    def __init__(self, stream: Any, most_bytes: int) -> None:
        self._stream, self._most_bytes = stream, most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._most_bytes:
                raise ReplyTooLong(f"the reply is longer than {self._most_bytes} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _langchain_model(
    model: str, api_key: SecretStr | None, options: dict[str, Any]
) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    if api_key is not None:
        options["api_key"] = api_key
    given = {name: value for name, value in options.items() if value is not None}
    created: BaseChatModel = init_chat_model(model, **given)
    return created


def _openai_model(name: str, api_key: SecretStr | None, options: dict[str, Any]) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=name, api_key=api_key, use_responses_api=False, **options)
