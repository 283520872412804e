"""Contenders timed side by side: short rounds in turn, and quartiles of their ratios.

Nothing to run here. What slows the machine slows all contenders of a round alike, and a ratio of
two times out of one round is hardly touched by it. Times are the processor time of this process:
with one thread that is the time the work takes where nobody disturbs it, but for the caches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], float]


@dataclass(frozen=True)
class Quartiles:
    """The middle half of some measurements."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> Quartiles:
        return cls(*(float(q) for q in np.percentile(values, [25, 50, 75])))

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def seconds_in_rounds(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Clock = time.process_time,
) -> dict[str, NDArray[np.floating]]:
    """(rounds,) seconds of each contender, after a round that does not count.

    Every round begins with another contender, so that none always runs after the same one.
    """
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began = clock()
            contenders[name]()
            times[name].append(clock() - began)
    return {name: np.array(seconds[1:]) for name, seconds in times.items()}


def verdict(ratio: Quartiles, *, goal: float, at_least: bool) -> str:
    """The ratio beside its goal, in words."""
    reached = ratio.median >= goal if at_least else ratio.median <= goal
    wanted = f"{'at least' if at_least else 'at most'} {goal:g}"
    return f"{ratio:.2f} x; goal {wanted} x: {'reached' if reached else 'MISSED'}"
