"""What an experiment found, and the numbers told of it: `summary.json`.

Agents are compared on held-out episodes that no training seed ever drew; every agent meets the
same channels, requests and personas there (common random numbers).
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.intervals import (
    Interval,
    Summary,
    paired_difference,
    progress_between,
    summarise,
)
from allocator.scenarios.policies import Played

OPTIMUM, RANDOM = "optimum", "random"
QUANTITIES = ("reward", "qoe", "energy_j", "latency_s", "budget_used")
PACKAGES = ("torch", "stable-baselines3", "gymnasium", "numpy", "open-clip-torch", "diffusers")


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

    judges: who judged, best first. decision_s: by learner, the median wall-clock of one decision
    for one cell; who is not in it decides for free.
    """

    name: str
    judges: tuple[str, ...]
    outcomes: Mapping[str, Outcomes]
    curves: Mapping[str, LearningCurve]
    decision_s: Mapping[str, float]
    oracle: OracleCounts
    generator: GeneratorCounts
    seconds: Seconds
    manifest: Mapping[str, Any]


def share_of_way(findings: Findings) -> dict[str, float]:
    """How far each agent's mean reward lies on the way from random (0) to the optimum (1)."""
    mean = {name: float(outcome.reward.mean()) for name, outcome in findings.outcomes.items()}
    floor, ceiling = mean[RANDOM], mean[OPTIMUM]
    return {name: float(progress_between(value, floor, ceiling)) for name, value in mean.items()}


def agent_summaries(findings: Findings, rng: np.random.Generator) -> dict[str, dict[str, Summary]]:
    """Per agent and quantity: mean, IQM and the interval over runs and episodes."""
    return {
        name: {each: summarise(getattr(outcome, each), rng) for each in QUANTITIES}
        for name, outcome in findings.outcomes.items()
    }


def gains(findings: Findings, ours: str, rng: np.random.Generator) -> dict[str, Interval]:
    """Paired gain in mean reward of `ours` over every other agent."""
    return {
        name: paired_difference(findings.outcomes[ours].reward, outcome.reward, rng)
        for name, outcome in findings.outcomes.items()
        if name != ours
    }


def summary(findings: Findings) -> dict[str, Any]:
    """The content of `summary.json`; intervals are resampled from a fixed seed."""
    rng = np.random.default_rng(0)
    way = share_of_way(findings)
    agents: dict[str, Any] = {
        name: {quantity: asdict(told) for quantity, told in by_quantity.items()}
        for name, by_quantity in agent_summaries(findings, rng).items()
    }
    for name, told in agents.items():
        told["share_of_way_to_optimum"] = way[name]
    learners = [name for name in findings.curves if name in findings.outcomes]
    return {
        "name": findings.name,
        "judges": list(findings.judges),
        "agents": agents,
        "paired_reward_gain": {
            ours: {name: asdict(gain) for name, gain in gains(findings, ours, rng).items()}
            for ours in learners
        },
        "oracle": asdict(findings.oracle),
        "generator": asdict(findings.generator),
        "seconds": asdict(findings.seconds),
        "manifest": dict(findings.manifest),
    }


def write_summary(findings: Findings, folder: Path) -> dict[str, Any]:
    """Write `summary.json` and return what it holds."""
    told = summary(findings)
    (folder / "summary.json").write_text(json.dumps(told, indent=2, allow_nan=False) + "\n")
    return told


def surroundings() -> dict[str, Any]:
    """Where an experiment ran: for the manifest, without names of people or folders."""
    return {
        "command": " ".join(["allocator", *sys.argv[1:]]),
        "versions": {package: version(package) for package in ("persona-qoe", *PACKAGES)},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }
