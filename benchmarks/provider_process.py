"""The fake provider in a process of its own, for the benchmarks to ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_provider(*options: str) -> Iterator[str]:
    """The address of a fake provider with these options of `python -m tests.fake_provider`."""
    command = [sys.executable, "-m", "tests.fake_provider", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
