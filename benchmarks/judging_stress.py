"""Judging while the provider misbehaves: `python -m benchmarks.judging_stress`.

The whole stack over real HTTP: this client, `qoe serve` with the ladder vlm, clip, pixel, and the
fake provider, each in a process of its own.

1. 30 % of the provider's calls fail, in all its ways equally often, and 10,000 judgments are asked
   for, 64 requests at a time, each with a deadline. Every answer is compared with what the tier
   that gave it has to say: the provider's hidden rule, or a reference judge in this process.
2. The provider is gone altogether for a while. Rewards must go on, from CLIP, and come back from
   the provider by themselves.
3. A group of 16 pictures, a quarter of them duplicates, is judged as reinforcement learning does.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time

import numpy as np
import torch

from benchmarks.service_process import running_service
from qoe_service import QoEClient
from qoe_service.schemas import ScoreReply
from tests.fake_provider.misbehaviour import Misbehaviour, Mix
from tests.qoe_service.stressing import (
    Findings,
    Load,
    Provider,
    Truth,
    draw_load,
    exchange_all,
    findings,
    provider_process,
)

PERSONAS = 8
GROUP, DISTINCT = 16, 12
MOST_RECOVERY_S = 60.0


def settings(provider: Provider, cache: str, concurrency: int) -> dict[str, str]:
    """Time-outs in proportion to deadlines of some seconds."""
    return {
        "QOE_TIERS": "vlm,clip,pixel",
        "QOE_VLM_MODEL": "fake-vlm",
        "QOE_VLM_BASE_URL": provider.url,
        "QOE_ATTEMPT_TIMEOUT_S": "2",
        "QOE_MOST_CONCURRENCY": str(concurrency),
        "QOE_CONCURRENT_REQUESTS": str(concurrency),
        "QOE_CACHE": cache,
    }


def shares(found: Findings) -> str:
    """Which tiers judged, and why the rest is null."""
    total = found.statuses.total()
    told = [f"{tier} {count / total:.1%}" for tier, count in found.tiers.most_common()]
    nulls = [f"{s.value} {n / total:.1%}" for s, n in found.statuses.items() if s.value != "ok"]
    return ", ".join(told) + (f"; null: {', '.join(nulls)}" if nulls else "; no nulls")


def mix_of(failing: float) -> dict[str, float]:
    """So large a share of calls fails, in all ways equally often."""
    return {kind.value: share for kind, share in Mix.even(failing).shares.items()}


def misbehaving(url: str, provider: Provider, load: Load, arguments: argparse.Namespace) -> bool:
    """The first part; whether its numbers are reached."""
    provider.control(behaviour={"mix": mix_of(arguments.failing)}, forget_traffic=True)
    requests = np.array_split(np.arange(len(load.cases)), len(load.cases) // arguments.pictures)
    began_s = time.monotonic()
    exchanges = asyncio.run(
        exchange_all(
            url,
            load,
            [rows.tolist() for rows in requests],
            concurrency=arguments.concurrency,
            deadline_ms=arguments.deadline_ms,
        )
    )
    took_s = time.monotonic() - began_s
    found, traffic = findings(exchanges, load, Truth(load)), provider.traffic()
    print(
        f"{load.judgments} judgments in {found.requests} requests, {arguments.concurrency} at a "
        f"time, deadline {arguments.deadline_ms / 1e3:g} s; {arguments.failing:.0%} of calls fail "
        f"in {len(Misbehaviour)} ways\n"
        f"  answered within the deadline + 5 %  {found.share_in_time:.2%}"
        f" ({found.late} late, {found.refused} refused by 429)\n"
        f"  false scores                        {len(found.false)}\n"
        f"  nulls without a type, wrong order   {found.untyped}, {found.misplaced}\n"
        f"  panels of several tiers             {found.mixed_panels}\n"
        f"  judged by                           {shares(found)}\n"
        f"  provider calls per judgment         {traffic['requests'] / load.judgments:.3f}"
        f" ({traffic['requests']} calls)\n"
        f"  request p50, p99, longest           {found.quantile_s(0.5):.2f}, "
        f"{found.quantile_s(0.99):.2f}, {found.quantile_s(1):.2f} s\n"
        f"  in all                              {took_s:.0f} s, "
        f"{load.judgments / took_s:.0f} judgments a second"
    )
    for false in found.false[:5]:
        print(f"    {false}")
    return not (found.late or found.false or found.untyped or found.misplaced)


class Asking:
    """New pictures of a load, one a request, by which it is seen who judges."""

    def __init__(self, client: QoEClient, load: Load, deadline_ms: int) -> None:
        self._client, self._load, self._deadline_ms = client, load, deadline_ms
        self._next = iter(range(len(load.cases)))
        self.rows: list[int] = []
        self.replies: list[ScoreReply] = []
        self.took_s: list[float] = []

    def tier(self) -> str | None:
        """Who judged the next picture."""
        row = next(self._next)
        began_s = time.monotonic()
        reply = self._client.score(self._load.request([row], self._deadline_ms))
        self.took_s.append(time.monotonic() - began_s)
        self.rows.append(row)
        self.replies.append(reply)
        return reply.results[0].judgments[0].tier


def gone(url: str, provider: Provider, load: Load, arguments: argparse.Namespace) -> bool:
    """The second part; whether rewards went on and came back."""
    provider.control(behaviour={"mix": {}})
    with QoEClient(url) as client:
        asking = Asking(client, load, arguments.deadline_ms)
        before = asking.tier()
        provider.control(gone_for_s=arguments.gone_s)
        time.sleep(0.2)  # its last reply has to leave first
        tiers = []
        while not provider.is_there:
            tiers.append(asking.tier())
            time.sleep(0.1)
        back_s, asked = time.monotonic(), len(tiers)
        while (tier := asking.tier()) != "vlm" and time.monotonic() < back_s + MOST_RECOVERY_S:
            tiers.append(tier)
            time.sleep(0.1)
        recovery_s = time.monotonic() - back_s
    judgments = [j for reply in asking.replies for j in reply.results[0].judgments]
    finite = all(j.se is not None and np.isfinite(j.se) and j.se > 0 for j in judgments)
    truth = Truth(load)
    false = sum(
        truth.is_false(row, column, judgment)
        for row, reply in zip(asking.rows, asking.replies, strict=True)
        for column, judgment in enumerate(reply.results[0].judgments)
    )
    nulls = sum(judgment.score is None for judgment in judgments)
    tiers_told = ", ".join(sorted({str(tier) for tier in tiers}))
    print(
        f"the provider is gone for {arguments.gone_s:g} s\n"
        f"  judged by                           {before} before, then {asked} requests by "
        f"{tiers_told}\n"
        f"  nulls, false scores, all se finite  {nulls}, {false}, {'yes' if finite else 'NO'}\n"
        f"  longest request                     {max(asking.took_s):.2f} s\n"
        f"  judged by the provider again        {recovery_s:.1f} s after its return"
    )
    return finite and false == 0 and set(tiers) <= {"clip"} and tier == "vlm"


def duplicates(url: str, provider: Provider, load: Load, arguments: argparse.Namespace) -> bool:
    """The third part; whether no question was paid for twice."""
    rows = [place % DISTINCT for place in range(GROUP)]
    reached = True
    for failing, cases in (
        (0.0, load.cases[:DISTINCT]),
        (arguments.failing, load.cases[DISTINCT:]),
    ):
        provider.control(behaviour={"mix": mix_of(failing)}, forget_traffic=True)
        with QoEClient(url) as client:
            client.score(Load(cases, load.panel).request(rows, arguments.deadline_ms))
        traffic = provider.traffic()
        distinct = DISTINCT * len(load.panel)
        again = traffic["answered"] - len(traffic["answers"])
        print(
            f"a group of {GROUP} pictures, {DISTINCT} of them different, {len(load.panel)} "
            f"personas; {failing:.0%} of calls fail\n"
            f"  provider calls                      {traffic['requests']} for {distinct} distinct "
            f"item-personas; {again} answers paid for twice"
        )
        reached &= again == 0 and (failing > 0 or traffic["requests"] <= distinct)
    return reached


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64, help="requests at a time")
    parser.add_argument("--pictures", type=int, default=1, help="in a request")
    parser.add_argument("--deadline-ms", type=int, default=20_000)
    parser.add_argument("--failing", type=float, default=0.3)
    parser.add_argument("--gone-s", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    load = draw_load(arguments.judgments // PERSONAS, personas=PERSONAS, seed=arguments.seed)
    others = draw_load(500, personas=PERSONAS, seed=arguments.seed + 1)
    group = draw_load(2 * DISTINCT, personas=PERSONAS, seed=arguments.seed + 2)
    with (
        tempfile.TemporaryDirectory() as cache,
        provider_process("--seed", str(arguments.seed)) as provider,
        running_service(settings(provider, cache, arguments.concurrency), threads=1) as url,
    ):
        reached = [
            misbehaving(url, provider, load, arguments),
            gone(url, provider, others, arguments),
            duplicates(url, provider, group, arguments),
        ]
    print("all numbers are reached" if all(reached) else "NOT all numbers are reached")


if __name__ == "__main__":
    main()
