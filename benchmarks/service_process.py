"""A service in a process of its own, for the benchmarks to ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_ANNOUNCEMENT = "serving at "


@contextmanager
def running_service(settings: Mapping[str, str], *, threads: int) -> Iterator[str]:
    """The address of `qoe serve` with these QOE_ settings and so many torch threads."""
    environment = {**os.environ, **settings, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "qoe_service.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _announced(process)
        finally:
            process.terminate()


def _announced(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        print(f"  | {line}", end="")
        if line.startswith(_ANNOUNCEMENT):
            return line.removeprefix(_ANNOUNCEMENT).strip()
    raise SystemExit("the service did not start")
