"""The service as a process of its own: up when said to be up, gone afterwards, explained if not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from allocator.service_process import ServiceNotReadyError, running_service
from qoe_service.client import QoEClient, ServiceUnreachable


def test_it_answers_inside_and_is_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QOE_TIERS", "pixel")
    with running_service(tmp_path / "log.txt", cache=tmp_path / "cache") as url:
        client = QoEClient(url)
        reply = client.rewards(np.full((1, 64, 64, 3), 90, np.uint8), ["a man in the street"])
        assert len(reply.rewards) == 1
        client.close()
    with QoEClient(url) as client, pytest.raises(ServiceUnreachable):
        client.personas()


def test_a_service_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    broken = (sys.executable, "-c", "import sys; sys.exit('QOE_CLIP names no model')")
    with (
        pytest.raises(ServiceNotReadyError, match="QOE_CLIP names no model"),
        running_service(tmp_path / "log.txt", cache=tmp_path / "cache", command=broken),
    ):
        pass


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM])
def test_it_does_not_outlive_the_process_that_started_it(
    tmp_path: Path, ended_by: signal.Signals
) -> None:
    script = f"""
import os
from pathlib import Path
from allocator.training.interruption import unwinding
from allocator.service_process import running_service
folder = Path({str(tmp_path)!r})
with unwinding(), running_service(folder / "log.txt", cache=folder / "cache") as url:
    (folder / "url").write_text(url)
    os.kill(os.getpid(), {ended_by})
"""
    settings = os.environ | {"QOE_TIERS": "pixel"}
    subprocess.run([sys.executable, "-c", script], env=settings, capture_output=True)
    with QoEClient((tmp_path / "url").read_text()) as client:
        for _ in range(100):
            try:
                client.readiness()
            except ServiceUnreachable:
                return
            time.sleep(0.1)
    pytest.fail("the service is still there")
