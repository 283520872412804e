"""Reading request bodies: never more than the limit, and as the type they claim to be."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from qoe_service.api.errors import ProblemError, invalid

JSON, MULTIPART = "application/json", "multipart/form-data"

Message = TypeVar("Message", bound=BaseModel)

SPLIT = "split it, or raise QOE_MAX_BODY_BYTES"


class _Parts(MultiPartParser):
    # A body is bounded before it gets here, so its parts need no detour through a disk.
    spool_max_size = 2**62


def media_type(request: Request, *accepted: str) -> str:
    """The request's content type, or a 415 problem if it is none of `accepted`."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in accepted:
        named = repr(found) if found else "missing"
        raise ProblemError(
            415,
            f"Content-Type is {named}; send {' or '.join(accepted)}.",
            headers={"Accept-Post": ", ".join(accepted)},
        )
    return found


async def read_body(request: Request, max_bytes: int, *, remedy: str = SPLIT) -> bytes:
    """The whole body, or a 413 problem once it outgrows `max_bytes`."""
    return b"".join([chunk async for chunk in _bounded(request, max_bytes, remedy)])


async def read_parts(request: Request, max_bytes: int) -> dict[str, bytes]:
    """The parts of a multipart body by name; of equal names the last one counts."""
    parser = _Parts(request.headers, _bounded(request, max_bytes, SPLIT), max_part_size=max_bytes)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ProblemError(400, f"The multipart body cannot be read: {error.message}") from error
    parts = {name: await _content(value) for name, value in form.multi_items()}
    await form.close()
    return parts


def parse(message: type[Message], document: bytes) -> Message:
    """The message in a JSON document, or a 422 problem naming the items and fields at fault."""
    try:
        return message.model_validate_json(document)
    except ValidationError as error:
        raise invalid(error, document) from error


def part(parts: Mapping[str, bytes], name: str) -> bytes:
    """One part of a multipart body, or a 422 problem saying that it is missing."""
    if name not in parts:
        found = ", ".join(sorted(parts)) or "none"
        raise ProblemError(422, f"The multipart body needs a part named {name!r}; found: {found}.")
    return parts[name]


async def _bounded(request: Request, max_bytes: int, remedy: str) -> AsyncGenerator[bytes]:
    announced = request.headers.get("content-length", "")
    received = 0
    _check_size(int(announced) if announced.isdecimal() else 0, max_bytes, remedy)
    async for chunk in request.stream():
        received += len(chunk)
        _check_size(received, max_bytes, remedy)
        yield chunk


def _check_size(received: int, max_bytes: int, remedy: str) -> None:
    if received > max_bytes:
        raise ProblemError(413, f"The body is larger than {max_bytes} bytes; {remedy}.")


async def _content(value: UploadFile | str) -> bytes:
    return value.encode() if isinstance(value, str) else await value.read()
