"""No process outlives the one it works for, however that one ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait as wait_for_end


def end_with_stdin() -> None:
    """Ask this process to end as soon as nobody holds the other end of its standard input."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    in_background(wait)


def end_with_parent() -> None:
    """End this worker process once its parent is gone; what it was doing is lost."""

    def wait() -> None:
        outlive_parent()
        os._exit(1)

    in_background(wait)


def outlive_parent() -> None:
    """Wait, in a worker process, until its parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_end([parent.sentinel])


def in_background(wait: Callable[[], None]) -> None:
    """Run it in a thread that keeps nobody alive."""
    threading.Thread(target=wait, daemon=True).start()
