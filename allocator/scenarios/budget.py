"""The energy budget: how large it is, and what spending more than it costs.

What overspending costs is a fact about the joules spent so far, not about who spent them or when:
the charge of a slot is the growth of one curve, so the episode's charge depends on its total alone
and no order of spending hides any of it. A joule beyond the budget costs more than any joule can
earn, in two senses: a slot paid for by overspending is never worth having, and where the budget
ends the concave hull of what it can earn rises more slowly than the charge. So a plan that
overspends can gain no more than the lumps of single choices, which vanish among many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.physics import Physics
from allocator.scenarios.settings import SharedDenoisingSettings

BEND = 0.01
"""The last part of the budget, as a share of it, over which a joule's price rises from nothing."""

HIGHEST_REWARD = 1.0


@dataclass(frozen=True)
class Budget:
    """Budgets of B episodes. All (B,).

    joules: what may be spent. alone_j: what one slot costs if everybody draws alone, the unit in
    which energy is observed. price: reward charged for each joule beyond the budget.
    """

    joules: Floats
    alone_j: Floats
    price: Floats

    def row(self, episode: int) -> Budget:
        """One episode's budget."""
        one = slice(episode, episode + 1)
        return Budget(self.joules[one], self.alone_j[one], self.price[one])

    def charge(self, spent_j: Floats) -> Floats:
        """Reward charged once this much was spent in all; (..., B) joules to (..., B)."""
        return overspending_charge(spent_j, self.joules, self.price)

    def worth(self, price: Floats) -> Floats:
        """(B,) the most that `price * spent - charge(spent)` can be; price (B,) up to the budget's.

        The convex conjugate of `charge`: what a Lagrangian bound pays for the budget.
        """
        bend = BEND * self.joules
        most: Floats = price * (self.joules - bend * (1 - price / self.price / 2))
        return most


def overspending_charge(spent_j: Floats, budget_j: Floats, price: Floats) -> Floats:
    """Reward charged to an episode of this budget for what it spent in all, elementwise.

    A parabola over the bend before the budget, and from there on `price` a joule: smooth, and
    never below `price * (spent - budget)`.
    """
    bend = BEND * budget_j
    into_bend = np.maximum(spent_j - budget_j + bend, 0.0)
    bent = np.where(into_bend < bend, into_bend**2 / (2 * bend), into_bend - bend / 2)
    charged: Floats = price * bent
    return charged


def budget_of(episodes: Episodes, physics: Physics, settings: SharedDenoisingSettings) -> Budget:
    """The budget each episode gets.

    Let c be a slot's least energy and b its share of the budget. The price is the highest reward
    over the smaller of c and b - c: no slot earns more a joule than the first, and the concave hull
    of what a budget can earn rises by no more than the second where the budget ends.
    """
    T, deepest = settings.total_steps, settings.deepest_branch
    apart_j = physics.phone_j(episodes.phone, T).sum(axis=2)  # (B, G)
    finishing_j = (physics.phone_j(episodes.phone, T - deepest) + physics.radio_j[0]).sum(axis=2)
    together_j = deepest * physics.server_step_j + finishing_j
    alone_j = apart_j.sum(axis=1)
    least_j = np.minimum(apart_j, together_j).sum(axis=1)
    slot_j = settings.budget_share * alone_j
    if (slot_j <= least_j).any():
        raise ValueError(
            f"budget_share {settings.budget_share} is too low: sharing every step takes up to "
            f"{(least_j / alone_j).max():.2f} of drawing alone"
        )
    return Budget(
        joules=settings.slots * slot_j,
        alone_j=alone_j,
        price=HIGHEST_REWARD / np.minimum(least_j, slot_j - least_j),
    )
