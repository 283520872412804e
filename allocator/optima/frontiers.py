"""Trade-off curves of reward against energy, and how to add them up.

A frontier holds every choice that no other beats: as much reward for less energy, or more reward
for as much. Two independent parties' frontier is the sum of each point of one and each of the
other, thinned again. This is exact for any rewards, convex or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from allocator.arrays import Floats, Indices


@dataclass(frozen=True)
class Frontier:
    """joules, reward: (n,), both strictly increasing. choice: (n, parties) what each party does."""

    joules: Floats
    reward: Floats
    choice: Indices

    def __len__(self) -> int:
        return len(self.joules)

    def plus(self, joules: float) -> Frontier:
        """The same choices, each dearer by a fixed cost."""
        return Frontier(self.joules + joules, self.reward, self.choice)

    def within(self, joules: float) -> Frontier:
        """The choices that cost at most this."""
        affordable = self.joules <= joules
        return Frontier(self.joules[affordable], self.reward[affordable], self.choice[affordable])


def thinned(joules: Floats, reward: Floats, choice: Indices) -> Frontier:
    """The frontier of these points; choice is (n, parties). Points of infinite cost are dropped."""
    # By energy, and among equals the best first, so that a running maximum finds the frontier.
    order = np.lexsort((-reward, joules))
    ordered = reward[order]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(ordered)[:-1]])
    kept = order[(ordered > best_before) & np.isfinite(joules[order])]
    return Frontier(joules[kept], reward[kept], choice[kept])


def added(one: Frontier, other: Frontier) -> Frontier:
    """The frontier of two parties who choose independently."""
    first, second = np.divmod(np.arange(len(one) * len(other)), max(len(other), 1))
    return thinned(
        one.joules[first] + other.joules[second],
        one.reward[first] + other.reward[second],
        np.concatenate([one.choice[first], other.choice[second]], axis=1),
    )


def total(frontiers: Sequence[Frontier]) -> Frontier:
    """The frontier of all parties together."""
    return reduce(added, frontiers)


def either(frontiers: Sequence[Frontier]) -> Frontier:
    """The frontier of a party that may use any of these."""
    return thinned(
        np.concatenate([frontier.joules for frontier in frontiers]),
        np.concatenate([frontier.reward for frontier in frontiers]),
        np.concatenate([frontier.choice for frontier in frontiers]),
    )
