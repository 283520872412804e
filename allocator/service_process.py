"""The QoE service as a process of its own, for as long as a block lasts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qoe_service.client import QoEClient, ServiceUnreachable
from qoe_service.schemas import Readiness

STARTING_S = 120.0
STOPPING_S = 15.0
QOE = (
    sys.executable,
    "-c",
    "from allocator.training.lifeline import end_with_stdin; end_with_stdin();"
    "from qoe_service.cli import app; app()",
)


class ServiceNotReadyError(RuntimeError):
    """The service process ended, or did not become ready in time."""


@contextmanager
def running_service(
    log: Path, *, cache: Path, command: Sequence[str] = QOE, patience_s: float = STARTING_S
) -> Iterator[str]:
    """Start `qoe serve` on a free port of this machine; yields its URL once it is ready.

    What the service prints goes to `log`; its judgments are kept in `cache`. Settings come from
    the environment (QOE_...), as for any `qoe serve`. It ends with the block, or with this process
    should that be killed; Ctrl-C does not reach it, since others may still be asking.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    serve = [*command, "serve", "--host", "127.0.0.1", "--port", str(port)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as written:
        process = subprocess.Popen(
            serve,
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=written,
            env=os.environ | {"QOE_CACHE": str(cache)},
            start_new_session=True,
        )
        try:
            _wait_until_ready(url, process, log, patience_s)
            yield url
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(
    url: str, process: subprocess.Popen[bytes], log: Path, patience_s: float
) -> None:
    deadline = time.monotonic() + patience_s
    with QoEClient(url, timeout_s=30) as client:
        while True:
            if process.poll() is not None:
                raise ServiceNotReadyError(
                    f"the QoE service ended with code {process.returncode}:\n{_end_of(log)}"
                )
            readiness = _readiness(client)
            if readiness is not None and readiness.status == "ready":
                return
            if time.monotonic() > deadline:
                raise ServiceNotReadyError(_why(readiness, patience_s, log))
            time.sleep(0.2)


def _readiness(client: QoEClient) -> Readiness | None:
    try:
        return client.readiness()
    except ServiceUnreachable:
        return None


def _why(readiness: Readiness | None, patience_s: float, log: Path) -> str:
    if readiness is None:
        return f"the QoE service did not answer within {patience_s:.0f} s:\n{_end_of(log)}"
    tiers = "; ".join(f"{t.tier}: {t.reason or 'ready'}" for t in readiness.tiers)
    return f"the QoE service is {readiness.status} after {patience_s:.0f} s ({tiers})"


def _end_of(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
