"""Being asked to end: Ctrl-C or SIGTERM, at once or when it suits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]
ENDING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Somebody asked for an end; what had to be kept is kept."""


@contextmanager
def unwinding() -> Iterator[None]:
    """The first request raises Interrupted, so that everything opened is closed again.

    Further ones do not disturb the closing.
    """

    def unwind(number: int, _: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(f"ended by {signal.Signals(number).name}")

    with _handled(unwind):
        yield


@contextmanager
def held_back() -> Iterator[threading.Event]:
    """The first request only sets the event, for whoever looks at it; leaving the block raises
    Interrupted then. The second does so at once.
    """
    asked = threading.Event()

    def note(number: int, _: FrameType | None) -> None:
        if asked.is_set():
            raise Interrupted(f"ended by a second {signal.Signals(number).name}")
        asked.set()

    with _handled(note):
        yield asked
    if asked.is_set():
        raise Interrupted("asked to end")


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """Only the main thread hears signals; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handler) for each in ENDING}
    try:
        yield
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)
