"""More than can be judged in time: lower tiers answer, or the request is refused unqueued."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from qoe_service import QoEClient, Scorer
from qoe_service.client import ServiceOverloaded
from qoe_service.errors import Overloaded
from qoe_service.schemas import RewardsReply
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider
from tests.qoe_service.judges.chatting import PANEL, drawn_picture

NAMES = [persona.id for persona in PANEL]
SERVICE_S = 0.1
IMPATIENT_MS = 2_000
PATIENT_ROWS = range(10, 50)


@pytest.fixture
def scorer(provider: FakeProvider) -> Iterator[Scorer]:
    settings = Settings(
        tiers=("vlm", "pixel"),
        vlm_model="fake-vlm",
        vlm_base_url=provider.url,
        cache=None,
        concurrency=1,
        most_concurrency=1,
    )
    with Scorer.from_settings(settings) as scorer:
        yield scorer


def stack(*seeds: int) -> tuple[np.ndarray, list[str]]:
    return np.stack([drawn_picture(seed).pixels for seed in seeds]), ["a dog"] * len(seeds)


def npy(pictures: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, pictures)
    return file.getvalue()


@contextmanager
def busy(scorer: Scorer, provider: FakeProvider) -> Iterator[list[RewardsReply]]:
    """While the one place is taken and 120 questions wait, twelve seconds' work."""
    provider.behave(service_time_s=SERVICE_S)
    scorer.rewards(*stack(0), personas=NAMES)  # how long a question takes must be heard of first
    provider.forget_traffic()
    found: list[RewardsReply] = []
    patient = threading.Thread(
        target=lambda: found.append(scorer.rewards(*stack(*PATIENT_ROWS), personas=NAMES))
    )
    patient.start()
    while provider.traffic.requests < 1:
        time.sleep(0.005)
    try:
        yield found
    finally:
        provider.behave(service_time_s=0.0)
        patient.join()
    assert set(found[0].statuses) == {"ok"}


def test_load_sends_callers_to_a_lower_tier_or_away_at_once(
    scorer: Scorer, provider: FakeProvider, serve: Callable[..., Any]
) -> None:
    with (
        serve(scorer, Settings(cache=None)) as url,
        QoEClient(url) as client,
        busy(scorer, provider),
    ):
        lower = client.rewards(*stack(30), personas=NAMES, deadline_ms=IMPATIENT_MS)
        with pytest.raises(ServiceOverloaded, match="the queue takes") as told:
            client.rewards(*stack(31), personas=NAMES, deadline_ms=IMPATIENT_MS, tier="vlm")
        known = client.rewards(*stack(0), personas=NAMES, deadline_ms=IMPATIENT_MS, tier="vlm")
        with pytest.raises(Overloaded):
            scorer.rewards(*stack(31), personas=NAMES, deadline_ms=IMPATIENT_MS, tier="vlm")
        response = httpx.post(
            f"{url}/v1/rewards",
            files={
                "pictures": ("pictures.npy", npy(stack(31)[0]), "application/x-npy"),
                "request": (
                    "request.json",
                    b'{"prompts": ["a dog"], "deadline_ms": 2000, "tier": "vlm"}',
                    "application/json",
                ),
            },
        )
    assert lower.statuses == known.statuses == ("ok",)
    assert known.usage.cached == len(NAMES)
    assert lower.usage.provider_calls == 0
    assert told.value.status == 429
    assert 1 <= told.value.retry_after_s <= len(PATIENT_ROWS) * len(NAMES) * 2 * SERVICE_S
    assert provider.traffic.requests == len(PATIENT_ROWS) * len(NAMES)  # nobody else's was queued
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:persona-qoe:problem:overloaded"
    assert int(response.headers["retry-after"]) >= 1
