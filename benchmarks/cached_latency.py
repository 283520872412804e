"""How long a request takes whose answers are known: `python benchmarks/cached_latency.py`.

10 pictures, 8 personas, one keep-alive connection on loopback, one request at a time; from the
client's call to the parsed reply. The first request fills the cache, and every later one is
checked to come from it. Target: median under 10 ms.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
from rest_throughput import Batches
from service_process import running_service

from qoe_service.client import QoEClient
from qoe_service.items import make_item
from qoe_service.schemas import ScoreRequest, Usage

PICTURES, PANEL, TARGET_MS = 10, 8, 10.0


def measure(call: Callable[[], Usage], requests: int) -> list[float]:
    """Milliseconds of every request after the first."""
    call()
    return [_milliseconds(call) for _ in range(requests)]


def report(name: str, times_ms: list[float]) -> None:
    """One line: median, spread and verdict; p10 is nearest to what a quiet machine would show."""
    p10, p90, p99 = (statistics.quantiles(times_ms, n=100)[rank] for rank in (9, 89, 98))
    median = statistics.median(times_ms)
    verdict = "reached" if median < TARGET_MS else "missed"
    print(
        f"  {name}: median {median:.2f} ms, p10 {p10:.2f}, p90 {p90:.2f}, p99 {p99:.2f},"
        f" {len(times_ms)} requests; target {TARGET_MS:.0f} ms {verdict}"
    )


def _milliseconds(call: Callable[[], Usage]) -> float:
    start_s = time.perf_counter()
    usage = call()
    elapsed_s = time.perf_counter() - start_s
    assert usage.cached == usage.judgments == PICTURES * PANEL, f"not from the cache: {usage}"
    return 1000 * elapsed_s


def main() -> None:
    """Measure every way of asking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    batches = Batches(side=64, seed=1)
    pictures, prompts = batches.draw()[:PICTURES], batches.prompts[:PICTURES]
    request = _score_request(pictures, prompts)
    with tempfile.TemporaryDirectory() as cache:
        settings = {"QOE_CACHE": cache, "QOE_TIERS": "clip"}
        with (
            running_service(settings, threads=arguments.threads) as url,
            QoEClient(url) as client,
        ):
            ways = {
                "score, PNG": lambda: client.score(request).usage,
                "rewards, npy": lambda: client.rewards(pictures, prompts, panel=PANEL).usage,
            }
            for name, call in ways.items():
                report(name, measure(call, arguments.requests))


def _score_request(pictures: np.ndarray, prompts: list[str]) -> ScoreRequest:
    pairs = enumerate(zip(pictures, prompts, strict=True))
    items = (make_item(picture, prompt, id=str(index)) for index, (picture, prompt) in pairs)
    return ScoreRequest(items=tuple(items), panel=PANEL)


if __name__ == "__main__":
    main()
