"""The service as a process of its own: up when said to be up, gone afterwards, explained if not."""

from __future__ import annotations

import sys
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
