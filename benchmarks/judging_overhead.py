"""What a chat judge costs beside its model: `python benchmarks/judging_overhead.py`.

64 pictures are judged by 8 personas through the ladder, with the fake provider in a process of its
own. Reported is the processor time of this process per judgment (one persona's opinion of one
picture), which other work on the machine disturbs little, and the wall time:

- cached in memory: rendering, key, look-up, composing, the ladder; nobody is asked;
- cached on disk: the same after a restart, each opinion read from the folder;
- asked: also what LangChain, the SDK, HTTP and storing cost on this side of the connection.

The target is 150 microseconds of processor time per cached judgment.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.provider_process import running_provider
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline
from qoe_service.judges.build import build_ladder
from qoe_service.judges.ladder import Ladder
from qoe_service.personas import Registry
from qoe_service.settings import Settings

PICTURES, PERSONAS = 64, 8
TARGET_US = 150.0


def make_cases(count: int, wishes: int, seed: int) -> list[Case]:
    """Noise is as good as anything here: nobody looks at it but the fake provider."""
    rng = np.random.default_rng(seed)
    return [
        Case(
            Picture(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)),
            f"a man and a dog in the park, picture {number % wishes}",
        )
        for number in range(count)
    ]


class Timed:
    """Judges a batch and tells what it took, in microseconds a judgment."""

    def __init__(self, cases: list[Case]) -> None:
        self._cases = cases
        self._panel = Registry().all()[:PERSONAS]

    def judge(self, ladder: Ladder) -> tuple[float, float]:
        """Processor time and wall time."""
        fresh = [Case(Picture(case.picture.pixels), case.prompt) for case in self._cases]
        began = time.process_time(), time.perf_counter()
        verdicts = ladder.verdicts(fresh, self._panel, tier=None, deadline=Deadline())
        ended = time.process_time(), time.perf_counter()
        assert not verdicts.opinions.failures, verdicts.opinions.failures
        judgments = len(fresh) * len(self._panel)
        cpu_us, wall_us = (1e6 * (b - a) / judgments for a, b in zip(began, ended, strict=True))
        return cpu_us, wall_us


def report(name: str, rounds: list[tuple[float, float]]) -> float:
    """Print medians; returns that of processor time."""
    cpu_us, wall_us = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{name:34} {cpu_us:8.1f} us CPU {wall_us:8.1f} us wall   (median of {len(rounds)})")
    return cpu_us


def measure(url: str, rounds: int, wishes: int) -> float:
    """All figures for a batch of so many different wishes; returns the one with the target."""
    timed = Timed(make_cases(PICTURES, wishes, seed=wishes))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            tiers=("vlm", "pixel"), vlm_model="fake-vlm", vlm_base_url=url, cache=Path(folder)
        )

        def restarted() -> tuple[float, float]:
            ladder = build_ladder(settings)
            ladder.judge("vlm").check()
            took = timed.judge(ladder)
            ladder.close()
            return took

        print(f"{PICTURES} pictures x {PERSONAS} personas, {wishes} different wishes")
        report("asked (first time in the process)", [restarted()])
        report("cached on disk", [restarted() for _ in range(max(3, rounds // 5))])
        ladder = build_ladder(settings)
        ladder.judge("vlm").check()
        timed.judge(ladder)
        cached_us = report("cached in memory", [timed.judge(ladder) for _ in range(rounds)])
        ladder.close()
    return cached_us


def main() -> None:
    """Measure with few wishes, as in training, and with one for every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    with running_provider() as url:
        worst_us = max(measure(url, rounds, wishes) for wishes in (16, PICTURES))
    verdict = "within" if worst_us <= TARGET_US else "ABOVE"
    print(f"a cached judgment costs {worst_us:.1f} us, {verdict} the target of {TARGET_US:.0f} us")


if __name__ == "__main__":
    main()
