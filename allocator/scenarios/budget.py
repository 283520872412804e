"""The energy budget: how large it is, and what spending more than it costs.

What overspending costs is a fact about the joules spent so far, not about who spent them or when:
the charge of a slot is the growth of one curve, so the episode's charge depends on its total alone
and no order of spending hides any of it. One joule beyond the budget costs more than the best
reward any joule can buy, so a slot paid for by overspending is never worth having.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.physics import Physics
from allocator.scenarios.settings import SharedDenoisingSettings

KNEE = 0.01
"""Half the width of the curve's bend at the budget, as a share of the budget."""

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
        """Reward charged once this much was spent in all; (..., B) joules to (..., B).

        Zero below the bend, `price * (spent - budget)` above it, a parabola between: smooth,
        and never below the straight line.
        """
        knee = KNEE * self.joules
        over = spent_j - self.joules
        bent = np.where(np.abs(over) < knee, (over + knee) ** 2 / (4 * knee), np.maximum(over, 0.0))
        charged: Floats = self.price * bent
        return charged

    def worth(self, price: Floats) -> Floats:
        """(B,) the most that `price * spent - charge(spent)` can be; price (B,) up to the budget's.

        The convex conjugate of `charge`: what a Lagrangian bound pays for the budget.
        """
        knee = KNEE * self.joules
        most: Floats = price * (self.joules - knee * (1 - price / self.price))
        return most


def budget_of(episodes: Episodes, physics: Physics, settings: SharedDenoisingSettings) -> Budget:
    """The budget each episode gets."""
    T, deepest = settings.total_steps, settings.deepest_branch
    apart_j = physics.phone_j(episodes.phone, T).sum(axis=2)  # (B, G)
    finishing_j = physics.phone_j(episodes.phone, T - deepest).sum(axis=2)
    together_j = deepest * physics.server_step_j + finishing_j
    alone_j = apart_j.sum(axis=1)
    cheapest_j = np.minimum(apart_j, together_j).sum(axis=1)
    return Budget(
        joules=settings.budget_share * settings.slots * alone_j,
        alone_j=alone_j,
        price=HIGHEST_REWARD / cheapest_j,
    )
