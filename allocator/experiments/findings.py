"""What an experiment found.

Agents are compared on held-out episodes that no training seed ever drew; every agent meets the
same channels, requests and personas there (common random numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.judge_budget.report import BudgetReport
from allocator.scenarios.policies import Played

OURS = "gddpg"
"""The agent that all reports are about, where it takes part."""

OPTIMUM, RANDOM = "optimum", "random"
QUANTITIES = ("reward", "qoe", "energy_j", "latency_s", "budget_used")
"""Those of `Outcomes` that are told of every agent."""


@dataclass(frozen=True)
class Outcomes:
    """One agent on the held-out episodes.

    (runs, episodes): reward: mean of a slot's QoE less its charge for overspending: the objective.
    qoe: mean QoE of a slot, in [0, 1]. energy_j: joules of an episode. latency_s: mean seconds
    until a user has the picture. budget_used: joules as a share of the budget.
    (runs, episodes, users): user_qoe: each user's mean QoE, NaN if never judged.
    What all runs of all agents met alike: user_persona (episodes, users), budget_j and joule_price
    (episodes,), the number of slots.
    """

    reward: Floats
    qoe: Floats
    energy_j: Floats
    latency_s: Floats
    budget_used: Floats
    user_qoe: Floats
    user_persona: Indices
    budget_j: Floats
    joule_price: Floats
    slots: int

    @classmethod
    def of(cls, runs: Sequence[Played], slots: int) -> Outcomes:
        """Several runs on the same episodes."""

        def stacked(quantity: str) -> Floats:
            return np.stack([getattr(played, quantity) for played in runs])

        return cls(
            reward=stacked("total_reward") / slots,
            qoe=stacked("qoe"),
            energy_j=stacked("energy_j"),
            latency_s=stacked("latency_s"),
            budget_used=stacked("budget_used"),
            user_qoe=stacked("user_qoe"),
            user_persona=runs[0].user_persona,
            budget_j=runs[0].budget_j,
            joule_price=runs[0].joule_price,
            slots=slots,
        )


@dataclass(frozen=True)
class LearningCurve:
    """How a learner's runs came on.

    (points,): steps: slots of experience. updates: gradient updates done until then.
    (runs, points): learning_s: seconds spent collecting and learning until then, the evaluation of
    the curve left out. reward: mean reward of a held-out slot.
    """

    steps: NDArray[np.integer]
    updates: NDArray[np.integer]
    learning_s: Floats
    reward: Floats


@dataclass(frozen=True)
class OracleCounts:
    """What was asked of the service."""

    requests: int
    judgments: int
    cached: int
    failed: int
    masked: int


@dataclass(frozen=True)
class GeneratorCounts:
    """What was drawn, and what drawing every picture alone would have taken."""

    pictures: int
    denoising_steps_run: int
    denoising_steps_unshared: int


@dataclass(frozen=True)
class Seconds:
    """Wall-clock: in total; then summed over all processes, which overlap.

    generating: drawing pictures. judging: waiting for opinions of them. collecting: playing
    episodes otherwise. learning: gradient updates.
    """

    total: float
    generating: float
    judging: float
    collecting: float
    learning: float


@dataclass(frozen=True)
class Findings:
    """All that an experiment leaves behind besides its files.

    judges: who judged, best first. personas: the names of the panel. outcomes: as played, nobody's
    decisions charged. decision_s: by learner, the median wall-clock of one decision for one cell;
    who is not in it decides for free. budgets: by learner, what became of each run's judge calls;
    who is not in it had no limit.
    """

    name: str
    judges: tuple[str, ...]
    personas: tuple[str, ...]
    outcomes: Mapping[str, Outcomes]
    curves: Mapping[str, LearningCurve]
    decision_s: Mapping[str, float]
    oracle: OracleCounts
    generator: GeneratorCounts
    seconds: Seconds
    manifest: Mapping[str, Any]
    budgets: Mapping[str, tuple[BudgetReport, ...]] = field(default_factory=dict)
