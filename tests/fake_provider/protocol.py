"""The chat-completions protocol, as far as a judge needs it: requests, replies, errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

MOST_ALTERNATIVES = 20


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class ImageUrl(BaseModel):
    url: str


class ImagePart(BaseModel):
    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]


class NamedSchema(BaseModel):
    name: str
    schema_: dict[str, Any] = Field(alias="schema", default_factory=dict)


class ResponseFormat(BaseModel):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: NamedSchema | None = None


class ChatRequest(BaseModel):
    """What a client asks. Arguments that a judge has no use for are let pass unread."""

    model: str = Field(min_length=1)
    messages: list[Message] = Field(min_length=1)
    n: int = Field(default=1, ge=1, le=128)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=MOST_ALTERNATIVES)
    response_format: ResponseFormat = ResponseFormat()
    stream: bool | None = None
    tools: list[Any] | None = None

    @property
    def token_limit(self) -> int | None:
        """The most tokens an answer may have."""
        limits = [limit for limit in (self.max_tokens, self.max_completion_tokens) if limit]
        return min(limits, default=None)

    @property
    def schema_of_answer(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must fit, if it must be JSON."""
        match self.response_format:
            case ResponseFormat(type="json_schema", json_schema=NamedSchema() as named):
                return named.schema_
            case ResponseFormat(type="json_object"):
                return {"type": "object", "properties": {"score": {"type": "integer"}}}
        return None


class BadRequest(ValueError):
    """The request is wrong as a whole."""


def parse_request(body: bytes) -> ChatRequest:
    """The request in a body. Raises `BadRequest`, which says what is wrong with it."""
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise BadRequest(f"{where}: {first['msg']}") from error
    if request.stream:
        raise BadRequest("stream: this server does not stream; leave `stream` out")
    if request.tools:
        raise BadRequest("tools: this server calls no tools; ask by `response_format`")
    if request.top_logprobs is not None and not request.logprobs:
        raise BadRequest("top_logprobs: only allowed when `logprobs` is true")
    return request


@dataclass(frozen=True, slots=True)
class Alternative:
    token: str
    logprob: float
    bytes: list[int]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[Alternative]


@dataclass(frozen=True, slots=True)
class Logprobs:
    content: list[TokenLogprob]
    refusal: None = None


@dataclass(frozen=True, slots=True)
class ReplyMessage:
    content: str | None
    refusal: str | None = None
    role: str = "assistant"
    annotations: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    index: int
    message: ReplyMessage
    logprobs: Logprobs | None
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True)
class ChatReply:
    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    object: str = "chat.completion"
    system_fingerprint: str = "fp_hidden_rule"


def error_body(message: str, *, kind: str, code: str | None = None) -> bytes:
    """An error as the protocol words it."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return orjson.dumps({"error": error})
