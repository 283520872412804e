"""No process outlives the one it works for, however that one ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable


def end_with_stdin() -> None:
    """Ask this process to end as soon as nobody holds the other end of its standard input."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    in_background(wait)


def in_background(wait: Callable[[], None]) -> None:
    """Run it in a thread that keeps nobody alive."""
    threading.Thread(target=wait, daemon=True).start()
