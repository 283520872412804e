"""A running server: the scorer, its web application and uvicorn, started and stopped together."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from qoe_service.api.app import create_app
from qoe_service.schemas import JudgeInfo
from qoe_service.scoring import Scorer
from qoe_service.settings import Settings

GRACE_S = 30
"""How long requests in flight may take to finish once the server is told to stop."""


def serve_until_stopped(host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are finished first.

    `announce` is told what judges, where the cache is and where the docs are, once requests are
    accepted (they wait in the socket until the application is up).

    Raises:
        OSError: the address is taken or not ours.
        QoEError: the settings name something that is not there.
    """
    settings = Settings()
    with listen(host, port) as listener, Scorer.from_settings(settings) as scorer:
        announce(introduction(_url(listener), scorer, settings))
        server(scorer, settings).run(sockets=[listener])


def server(scorer: Scorer, settings: Settings) -> uvicorn.Server:
    """A uvicorn server for `scorer`, not yet running."""
    config = uvicorn.Config(
        create_app(scorer, settings),
        log_level="warning",
        timeout_graceful_shutdown=GRACE_S,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio does this for its own sockets only; without it Nagle and the caller's delayed ACK
    # hold back the second packet of every reply for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def introduction(url: str, scorer: Scorer, settings: Settings) -> str:
    """What whoever starts the server wants to know, in lines."""
    ladder = ", then ".join(_rung(info) for info in scorer.judges())
    cache = settings.cache or "in memory only"
    records = "" if settings.record is None else f"records  {settings.record}\n"
    keys = "needed" if settings.api_keys else "not needed (QOE_API_KEYS is empty)"
    return (
        f"judges   {ladder}\n"
        f"personas {len(scorer.personas())}\n"
        f"cache    {cache}\n"
        f"{records}"
        f"API key  {keys}\n"
        f"docs     {url}/docs\n"
        f"serving at {url}"
    )


def _rung(info: JudgeInfo) -> str:
    state = "" if info.ready else f", NOT READY: {info.reason}"
    scale = " on its own scale" if info.own_scale else ""
    played = ", WHICH DOES NOT PLAY ITS PERSONAS" if info.interview == "fails" else ""
    return f"{info.tier} ({info.judge}){scale}{played}{state}"
