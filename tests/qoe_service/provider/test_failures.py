from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ModelRateLimitError, ModelTimeoutError, OutputParserException
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from qoe_service.provider import FailureKind, Usage
from qoe_service.provider.failures import ReplyTooLong, failure_of, retry_after_s

NOON_S = 1_700_000_000.0
REQUEST = httpx.Request("POST", "http://models.example/v1/chat/completions")


def status_error(status, headers=None, body=None):
    response = httpx.Response(status, headers=headers or {}, request=REQUEST)
    return openai.APIStatusError("said so", response=response, body=body)


def failure(error):
    return failure_of(error, wall_clock=lambda: NOON_S)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "rejected"),
        (401, "rejected"),
        (404, "rejected"),
        (408, "slow"),
        (413, "rejected"),
        (422, "rejected"),
        (429, "busy"),
        (500, "broken"),
        (502, "broken"),
        (503, "broken"),
        (529, "broken"),
    ],
)
def test_a_status_tells_the_kind(status, kind):
    told = failure(status_error(status))
    assert told.kind == kind
    assert told.reason.startswith(f"HTTP {status}: APIStatusError: said so")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "insufficient_quota", "rejected"),
        (429, "rate_limit_exceeded", "busy"),
        (400, "content_filter", "refused"),
        (400, "content_policy_violation", "refused"),
        (400, "invalid_image", "rejected"),
    ],
)
def test_a_code_tells_it_better(status, code, kind):
    assert failure(status_error(status, body={"code": code})).kind == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (openai.APITimeoutError(REQUEST), "slow"),
        (openai.APIConnectionError(request=REQUEST), "broken"),
        (httpx.ReadTimeout("hung"), "slow"),
        (httpx.PoolTimeout("full"), "slow"),
        (httpx.ConnectError("refused"), "broken"),
        (httpx.RemoteProtocolError("cut"), "broken"),
        (TimeoutError(), "slow"),
        (ConnectionResetError(), "broken"),
        (ModelRateLimitError("slow down"), "busy"),
        (ModelTimeoutError("late"), "slow"),
        (ReplyTooLong("no end"), "unreadable"),
        (OutputParserException("prose"), "unreadable"),
        (ValueError("no JSON"), "unreadable"),
        (KeyError("choices"), "unreadable"),
        (IndexError("choices"), "unreadable"),
        (TypeError("null choices"), "unreadable"),
        (RuntimeError("who knows"), "broken"),
        (ValueError({"message": "upstream is busy", "code": 429}), "busy"),
        (ValueError({"message": "upstream fell over", "code": 502}), "broken"),
    ],
)
def test_a_type_tells_the_kind(error, kind):
    assert failure(error).kind == kind


def test_what_wraps_another_error_is_told_by_what_it_wraps():
    try:
        try:
            raise status_error(429, {"retry-after": "3"})
        except openai.APIStatusError as error:
            raise RuntimeError("the framework failed") from error
    except RuntimeError as error:
        told = failure(error)
    assert (told.kind, told.retry_after_s) == (FailureKind.BUSY, 3.0)
    assert told.reason == "HTTP 429: RuntimeError: the framework failed <- APIStatusError: said so"


def test_what_the_sdk_would_not_hand_out_is_paid_all_the_same():
    completion = ChatCompletion.model_construct(
        usage=CompletionUsage(prompt_tokens=90, completion_tokens=64, total_tokens=154)
    )
    told = failure(openai.LengthFinishReasonError(completion=completion))
    assert (told.kind, told.usage) == (FailureKind.UNREADABLE, Usage(90, 64))
    filtered = failure(openai.ContentFilterFinishReasonError(completion=completion))
    assert (filtered.kind, filtered.usage) == (FailureKind.REFUSED, Usage(90, 64))


def http_date(at_s):
    return format_datetime(datetime.fromtimestamp(at_s, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": http_date(NOON_S + 90)}, 90.0),
        ({"retry-after": http_date(NOON_S - 90)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Mon, 99 Foo 2023 99:99:99 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers, seconds):
    assert retry_after_s(httpx.Headers(headers), NOON_S) == seconds
    assert failure(status_error(503, headers)).retry_after_s == seconds


@given(st.text(max_size=30))
def test_no_retry_after_header_breaks_the_reader(text):
    seconds = retry_after_s({"retry-after": text}, NOON_S)
    assert seconds is None or 0 <= seconds < float("inf")


def test_reasons_are_kept_short():
    assert len(failure(RuntimeError("x" * 10_000)).reason) < 400
