"""Which kind of failure an exception is, whoever raised it: LangChain, an SDK, HTTP, the network.

Told by what every provider's SDK has in common (an HTTP status, a response with headers, the kinds
that LangChain names), not by their class names, so that no SDK need be imported.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from qoe_service.provider import CallFailed, FailureKind, Usage

REQUEST_TIMEOUT, TOO_MANY_REQUESTS, SERVER_ERRORS = 408, 429, 500
OUT_OF_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes of a 429 that no waiting cures."""
FILTERED = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
"""Codes of a 400 that a content filter gave."""
LONGEST_REASON = 300


class ReplyTooLong(Exception):
    """The reply was cut off because it had no end in sight."""


def failure_of(error: Exception, *, wall_clock: Callable[[], float] = time.time) -> CallFailed:
    """The failure that an exception of a model call stands for.

    wall_clock: seconds since 1970, to read a Retry-After date.
    """
    causes = tuple(_causes(error))
    status = next((s for s in map(_status, causes) if s is not None), None)
    kind = _kind_by_status(status, causes) if status is not None else _kind_by_type(causes)
    headers = next((h for h in map(_headers, causes) if h is not None), {})
    return CallFailed(
        kind,
        _reason(status, causes),
        retry_after_s=retry_after_s(headers, wall_clock()),
        usage=_usage(error),
    )


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """How long these headers ask to be left alone: seconds or an HTTP date (RFC 9110, 10.2.3).

    now_s: seconds since 1970. `None` if they do not say, or not legibly.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1e3
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None or said is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it was raised from, each once."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _status(error: BaseException) -> int | None:
    """The HTTP status of an error response; a good status is no explanation of an error.

    Routers answer 200 with an error object in the body, which LangChain raises as it is.
    """
    response = getattr(error, "response", None)
    body = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    said = (getattr(error, "status_code", None), getattr(response, "status_code", None))
    for status in (*said, body.get("code")):
        if isinstance(status, int) and status >= 400:
            return status
    return None


def _headers(error: BaseException) -> Mapping[str, str] | None:
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    return headers if isinstance(headers, Mapping) else None


def _code(error: BaseException) -> str:
    return str(getattr(error, "code", "") or "").lower()


def _kind_by_status(status: int, causes: tuple[BaseException, ...]) -> FailureKind:
    codes = {_code(cause) for cause in causes}
    if status >= SERVER_ERRORS:
        return FailureKind.BROKEN
    if codes & FILTERED:
        return FailureKind.REFUSED
    if status == TOO_MANY_REQUESTS:
        return FailureKind.REJECTED if codes & OUT_OF_CREDIT else FailureKind.BUSY
    return FailureKind.SLOW if status == REQUEST_TIMEOUT else FailureKind.REJECTED


def _kind_by_type(causes: tuple[BaseException, ...]) -> FailureKind:
    for cause in causes:
        for types, kind in _kinds():
            if isinstance(cause, types):
                return kind
    return FailureKind.BROKEN


def _kinds() -> tuple[tuple[tuple[type[BaseException], ...], FailureKind], ...]:
    """Exception types and what they mean, the more particular first."""
    import httpx
    import openai
    from langchain_core import exceptions as langchain

    return (
        ((ReplyTooLong, openai.LengthFinishReasonError), FailureKind.UNREADABLE),
        ((openai.ContentFilterFinishReasonError,), FailureKind.REFUSED),
        ((langchain.ModelRateLimitError,), FailureKind.BUSY),
        (
            (
                langchain.ModelTimeoutError,
                openai.APITimeoutError,
                httpx.TimeoutException,
                TimeoutError,
            ),
            FailureKind.SLOW,
        ),
        (
            (
                langchain.ModelAPIError,
                langchain.ModelConnectionError,
                openai.APIConnectionError,
                httpx.TransportError,
                OSError,
            ),
            FailureKind.BROKEN,
        ),
        (
            (langchain.ModelError,),  # what is left of them: credentials, names, requests
            FailureKind.REJECTED,
        ),
        # What clients raise when a reply is not what the protocol says.
        (
            (openai.APIResponseValidationError, ValueError, TypeError, LookupError, AttributeError),
            FailureKind.UNREADABLE,
        ),
    )


def _reason(status: int | None, causes: tuple[BaseException, ...]) -> str:
    told: dict[str, str] = {}  # SDKs raise their own words again as another type
    for cause in causes:
        told.setdefault(str(cause), type(cause).__name__)
    words = " <- ".join(f"{name}: {said}" if said else name for said, name in told.items())
    short = words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]}..."
    return short if status is None else f"HTTP {status}: {short}"


def _usage(error: Exception) -> Usage | None:
    """What the SDK knows of the cost of a reply that it would not hand out."""
    said = getattr(getattr(error, "completion", None), "usage", None)
    return None if said is None else Usage(said.prompt_tokens, said.completion_tokens)
