"""The fake provider as a server in a thread: it can be gone, and come back on the same port."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvicorn

from tests.fake_provider.behaviour import Behaviour, changed
from tests.fake_provider.misbehaviour import Misbehaviour
from tests.fake_provider.reading import Reading
from tests.fake_provider.server import State, create_app
from tests.fake_provider.traffic import TrafficReport


class FakeProvider:
    """A provider that judges pictures by the hidden rule. Its controls may be used by any thread.

    Args:
        behaviour: how it behaves until told otherwise.
        api_key: the bearer key that callers must show; None lets anyone in.
        port: 0 takes a free one, and keeps it.
        seed: of the chances of the mix and of sampled answers.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        api_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self._state = State(behaviour or Behaviour(), api_key=api_key, seed=seed)
        self._host, self.port = host, port
        self._running: _Running | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        """Where the controls are: `/control` and `/control/traffic`."""
        return f"http://{self._host}:{self.port}"

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves now."""
        return self._state.behaviour

    @property
    def traffic(self) -> TrafficReport:
        """What reached it so far."""
        return self._state.traffic.report()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """How it understood the latest questions, oldest first."""
        return self._state.traffic.readings()

    def behave(self, **changes: object) -> None:
        """Change fields of `Behaviour`. Raises `pydantic.ValidationError`."""
        self._state.behaviour = changed(self._state.behaviour, changes)

    def script(self, *kinds: Misbehaviour | None) -> None:
        """How the next calls go, None for well; then the mix again."""
        self._state.follow(kinds)

    def forget_traffic(self) -> None:
        """Count from zero."""
        self._state.traffic.forget()

    def start(self) -> None:
        """Accept connections; does nothing if it does already. Raises `OSError`."""
        with self._lock:
            if self._running is None:
                self._running = _Running(self._state, self._host, self.port, self._vanish)
                self.port = self._running.port

    def stop(self) -> None:
        """Drop every connection and refuse new ones; `start` comes back on the same port."""
        with self._lock:
            if self._running is not None:
                self._running.stop()
                self._running = None

    def __enter__(self) -> Self:
        self._closed.clear()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed.set()
        self.stop()

    def _vanish(self, seconds: float) -> None:
        threading.Thread(target=self._gone, args=(seconds,), daemon=True).start()

    def _gone(self, seconds: float) -> None:
        self.stop()
        if not self._closed.wait(seconds):
            self.start()


class _Server(uvicorn.Server):
    """uvicorn that says when it is up, and can go at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.up.set()

    def vanish(self) -> None:
        """Close everything now. For the server's own loop."""
        self.should_exit = self.force_exit = True
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Running:
    """One life of the server."""

    def __init__(self, state: State, host: str, port: int, vanish: Callable[[float], None]) -> None:
        listener = socket.create_server((host, port), backlog=1024)
        # As asyncio does for sockets of its own: Nagle would hold back the body for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            create_app(state, vanish=vanish),
            log_config=None,
            access_log=False,
            lifespan="off",  # the application has none, and going at once would look like an error
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="fake-provider", daemon=True
        )
        logging.getLogger("uvicorn.error").addFilter(_not_about_cuts)
        self._thread.start()
        self._server.up.wait()

    def stop(self) -> None:
        self._server.loop.call_soon_threadsafe(self._server.vanish)
        self._thread.join()


def _not_about_cuts(record: logging.LogRecord) -> bool:
    """A connection cut on purpose is no news."""
    return "without completing response" not in record.getMessage()
