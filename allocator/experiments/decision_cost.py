"""What deciding costs: an actor's own seconds and joules, charged to what it achieved."""

from __future__ import annotations

from dataclasses import replace

from allocator.experiments.findings import Outcomes
from allocator.scenarios.budget import overspending_charge

DECIDER_POWER_W = 225.0
"""[R] Power of the processor that decides: all of an EPYC 7742 at its rated 225 W, one of the two
in the server that carries the edge's A100. One thread decides, so this is an upper bound."""


def with_decisions_charged(outcomes: Outcomes, decision_s: float) -> Outcomes:
    """The same episodes, had every slot's decision taken this long.

    Every picture waits for the decision, and every slot pays its joules out of the budget. The
    charge for overspending depends on an episode's joules alone, so this is exact.
    """
    energy_j = outcomes.energy_j + outcomes.slots * decision_s * DECIDER_POWER_W
    charged, before = (
        overspending_charge(spent_j, outcomes.budget_j, outcomes.joule_price)
        for spent_j in (energy_j, outcomes.energy_j)
    )
    return replace(
        outcomes,
        reward=outcomes.reward - (charged - before) / outcomes.slots,
        energy_j=energy_j,
        latency_s=outcomes.latency_s + decision_s,
        budget_used=energy_j / outcomes.budget_j,
    )
