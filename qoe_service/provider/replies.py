"""From a chat model's reply to an `Answer`, or to the failure that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from qoe_service.provider import Answer, CallFailed, FailureKind, TokenChoice, Usage

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

DECLINED = frozenset({"content_filter", "refusal", "safety", "prohibited_content", "blocklist"})
"""Finish reasons, in several providers' words."""
TRUNCATED = frozenset({"length", "max_tokens"})


def read_reply(message: AIMessage, *, structured: bool, longest_text: int) -> Answer:
    """The answer in a message.

    Raises:
        CallFailed: REFUSED if the model or a filter declined; UNREADABLE if there is no text, it
            is longer than `longest_text` characters or is not the JSON object asked for.
    """
    text, usage, finish = str(message.text), _usage(message), _finish_reason(message)
    declined = message.additional_kwargs.get("refusal")
    if declined or finish in DECLINED:
        reason = f"the model declined: {_short(declined or finish)}"
        raise CallFailed(FailureKind.REFUSED, reason, usage=usage)
    problem = _problem(text, finish, structured=structured, longest_text=longest_text)
    if problem is not None:
        raise CallFailed(FailureKind.UNREADABLE, problem, usage=usage)
    try:
        choices = _choices(message.response_metadata.get("logprobs"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"the log-probabilities are malformed: {error!r}"
        raise CallFailed(FailureKind.UNREADABLE, reason, usage=usage) from error
    return Answer(text, choices, usage.input_tokens, usage.output_tokens)


def _problem(text: str, finish: str, *, structured: bool, longest_text: int) -> str | None:
    if not text.strip():
        return f"the reply is empty (finish reason {finish or 'not given'})"
    if len(text) > longest_text:
        return f"the reply has {len(text)} characters, more than {longest_text}"
    if structured and finish in TRUNCATED:
        return f"the reply was cut off before its end: {_short(text)}"
    if structured and not _is_json_object(text):
        return f"the reply is not a JSON object: {_short(text)}"
    return None


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _choices(logprobs: Mapping[str, Any] | None) -> tuple[tuple[TokenChoice, ...], ...]:
    """The alternatives at each token, the spoken one among them."""
    places = (logprobs or {}).get("content") or ()
    return tuple(_alternatives(place) for place in places)


def _alternatives(place: Mapping[str, Any]) -> tuple[TokenChoice, ...]:
    spoken = _choice(place)
    listed = tuple(_choice(each) for each in place.get("top_logprobs") or ())
    if any(choice.token == spoken.token for choice in listed):
        return listed
    return (spoken, *listed)


def _choice(said: Mapping[str, Any]) -> TokenChoice:
    log_probability = float(said["logprob"])
    if not log_probability <= 1e-3:  # rounding may leave a hair above 0; NaN is refused too
        raise ValueError(f"{log_probability} is no log-probability")
    return TokenChoice(str(said["token"]), min(log_probability, 0.0))


def _usage(message: AIMessage) -> Usage:
    said = message.usage_metadata
    return Usage() if said is None else Usage(said["input_tokens"], said["output_tokens"])


def _finish_reason(message: AIMessage) -> str:
    said = message.response_metadata
    return str(said.get("finish_reason") or said.get("stop_reason") or "").lower()


def _short(text: object) -> str:
    words = str(text)
    return words if len(words) <= 120 else f"{words[:120]}..."
