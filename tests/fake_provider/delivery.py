"""How a reply's bytes leave: whole, by drips, cut off, or never."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Send


@dataclass(frozen=True)
class Reply:
    """A status, a JSON body, and headers beside its type and length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class ClientLeft(Exception):
    """Nobody is there any more to be answered."""


async def whole(reply: Reply, send: Send) -> None:
    """As any server does."""
    await _head(reply, send)
    await send({"type": "http.response.body", "body": reply.body})


async def cut(reply: Reply, send: Send) -> None:
    """Half of the announced body; uvicorn then closes a connection whose body is too short."""
    await _head(reply, send)
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def drip(reply: Reply, receive: Receive, send: Send, *, interval_s: float) -> None:
    """A byte at a time. Raises `ClientLeft`."""
    await _head(reply, send)
    for at in range(len(reply.body)):
        byte = reply.body[at : at + 1]
        last = at == len(reply.body) - 1
        await send({"type": "http.response.body", "body": byte, "more_body": not last})
        if not last:
            await pause(receive, interval_s)


async def hang(receive: Receive) -> None:
    """Nothing, until the client leaves. Raises `ClientLeft`."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientLeft


async def pause(receive: Receive, seconds: float) -> None:
    """Wait, unless the client leaves first. Raises `ClientLeft`."""
    if seconds > 0:
        try:
            await asyncio.wait_for(hang(receive), seconds)
        except TimeoutError:
            return


async def _head(reply: Reply, send: Send) -> None:
    length = str(len(reply.body))
    headers = {"content-type": "application/json", "content-length": length, **reply.headers}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
