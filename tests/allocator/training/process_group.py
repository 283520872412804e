"""Whether any process of a group is left."""

from __future__ import annotations

import os
import signal
import time

import pytest


def assert_gone(group: int) -> None:
    """All processes of a group have ended, or do so soon."""
    for _ in range(600):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a process outlived the one it worked for")
