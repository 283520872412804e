"""What a learner is trained with: the house's settings, and those a search found for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from statistics import fmean
from typing import Any

TUNED = "tuned.json"


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """What learners have in common, and `own`: more arguments of one algorithm's constructor.

    learning_rate: at first; it falls in a straight line to a twentieth. tau: how fast targets
    follow. warm_up: random slots before learning. updates_per_step: gradient steps after each step
    of the vector of environments. noise: standard deviation of what DDPG, TD3 and G-DDPG add to
    actions while training. PPO has no replay and leaves the last four alone.
    """

    width: int = 32
    learning_rate: float = 1e-3
    batch_size: int = 128
    discount: float = 0.98
    tau: float = 0.005
    warm_up: int = 1600
    updates_per_step: int = 4
    noise: float = 0.2
    own: Mapping[str, Any] = field(default_factory=dict)


def tuned(learner: str) -> LearnerSettings:
    """The best settings of equally many trials of each learner, by the mean over all the seeds that
    its finalists were trained on; see `tuning.py`."""
    rewards = rewards_by_number(learner)
    best = max(rewards, key=lambda number: (len(rewards[number]), fmean(rewards[number])))
    trial = next(
        each for each in recorded_trials() if each["learner"] == learner and each["number"] == best
    )
    return LearnerSettings(**{each.name: trial[each.name] for each in fields(LearnerSettings)})


def rewards_by_number(learner: str) -> dict[int, list[float]]:
    """What each trial of a learner's got, by its number; of finalists on every seed in turn."""
    rewards: dict[int, list[float]] = {}
    for trial in recorded_trials():
        if trial["learner"] == learner:
            rewards.setdefault(trial["number"], []).append(trial["reward"])
    return rewards


def recorded_trials() -> list[dict[str, Any]]:
    """All trials: settings, and the mean reward of a slot on the tuning episodes."""
    trials: list[dict[str, Any]] = json.loads(files(__package__).joinpath(TUNED).read_text("utf-8"))
    return trials
