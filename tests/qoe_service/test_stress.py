"""The whole stack under stress over real HTTP; `benchmarks/judging_stress.py` has it at length."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qoe_service import QoEClient, Scorer
from qoe_service.schemas import Status
from qoe_service.settings import Settings
from tests.fake_provider import Misbehaviour, Mix
from tests.qoe_service.stressing import (
    Load,
    Provider,
    Truth,
    draw_load,
    exchange_all,
    findings,
    provider_process,
)
from tinyworld.clip import WEIGHTS

pytestmark = pytest.mark.skipif(
    not (WEIGHTS / "clip.safetensors").is_file(), reason="tinyworld's CLIP is not trained yet"
)

DEADLINE_MS = 10_000
GROUP, DISTINCT = 16, 12


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provider_process() as process:
        yield process


@pytest.fixture
def service(
    provider: Provider, tmp_path: Path, serve: Callable[..., Any]
) -> Iterator[tuple[str, QoEClient]]:
    provider.control(behaviour={"mix": {}}, forget_traffic=True)
    settings = Settings(
        tiers=("vlm", "clip", "pixel"),
        vlm_model="fake-vlm",
        vlm_base_url=provider.url,
        attempt_timeout_s=2,
        concurrent_requests=64,
        cache=tmp_path,
    )
    with (
        Scorer.from_settings(settings) as scorer,
        serve(scorer, settings) as url,
        QoEClient(url) as client,
    ):
        scorer.judges()  # as `qoe serve` does
        yield url, client


def failing(share: float) -> dict[str, float]:
    return {kind.value: part for kind, part in Mix.even(share).shares.items()}


def test_every_request_is_answered_in_time_and_no_score_is_false(
    provider: Provider, service: tuple[str, QoEClient]
) -> None:
    url, _ = service
    load = draw_load(60, personas=5, seed=1)
    provider.control(behaviour={"mix": failing(0.3)}, forget_traffic=True)
    requests = np.array_split(np.arange(len(load.cases)), 30)
    exchanges = asyncio.run(
        exchange_all(
            url,
            load,
            [rows.tolist() for rows in requests],
            concurrency=16,
            deadline_ms=DEADLINE_MS,
        )
    )
    found, traffic = findings(exchanges, load, Truth(load)), provider.traffic()
    assert set(traffic["misbehaved"]) > {Misbehaviour.HANG, Misbehaviour.DRIP}
    assert (found.late, found.misplaced, found.untyped, found.mixed_panels) == (0, 0, 0, 0)
    assert found.false == []
    assert found.statuses.total() == load.judgments
    assert found.tiers["vlm"] > 0.3 * load.judgments
    assert found.tiers["clip"] > 0
    assert traffic["answered"] == len(traffic["answers"])


def test_rewards_go_on_without_the_provider_and_come_back_by_themselves(
    provider: Provider, service: tuple[str, QoEClient]
) -> None:
    _, client = service
    load = draw_load(100, personas=3, seed=2)
    truth, rows = Truth(load), iter(range(len(load.cases)))

    def judged() -> str | None:
        row = next(rows)
        (result,) = client.score(load.request([row], DEADLINE_MS)).results
        for column, judgment in enumerate(result.judgments):
            assert judgment.status is Status.OK
            assert judgment.se is not None
            assert 0 < judgment.se < 2
            assert not truth.is_false(row, column, judgment)
        return result.judgments[0].tier

    assert judged() == "vlm"
    provider.control(gone_for_s=5.0)
    time.sleep(0.2)  # its last reply has to leave first
    tiers = []
    while not provider.is_there:
        tiers.append(judged())
        time.sleep(0.1)
    assert len(tiers) > 2
    assert set(tiers[:-1]) == {"clip"}  # it may return while the last is judged
    until_s = time.monotonic() + 25
    while judged() != "vlm":
        assert time.monotonic() < until_s
        time.sleep(0.3)


def test_a_group_with_duplicates_costs_no_more_than_its_distinct_judgments(
    provider: Provider, service: tuple[str, QoEClient]
) -> None:
    _, client = service
    load = draw_load(DISTINCT, personas=4, seed=3)
    rows = [place % DISTINCT for place in range(GROUP)]
    provider.control(forget_traffic=True)
    reply = client.score(Load(load.cases, load.panel).request(rows, DEADLINE_MS))
    scores = [[judgment.score for judgment in result.judgments] for result in reply.results]
    assert scores[:4] == scores[DISTINCT:]
    assert None not in scores[0]
    assert provider.traffic()["requests"] == DISTINCT * len(load.panel)
