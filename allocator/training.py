"""Training one learner as ordered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from allocator.agents.roster import LearnerSettings, make_learner
from allocator.evaluation import evaluate, held_out_seeds
from allocator.experience import Experience
from allocator.scenarios.policies import Played
from allocator.scenarios.shared_denoising import SharedDenoising

if TYPE_CHECKING:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

Progress = Callable[[int], None]
"""Told how many environment steps were just taken."""


@dataclass(frozen=True)
class LoopCost:
    """What the loop has cost so far; subtract two to know what lies between."""

    requests: int = 0
    judgments: int = 0
    cached: int = 0
    failed: int = 0
    masked: int = 0
    pictures: int = 0
    denoising_steps_run: int = 0
    denoising_steps_unshared: int = 0
    generating_s: float = 0.0
    judging_s: float = 0.0
    learning_s: float = 0.0

    def __add__(self, other: LoopCost) -> LoopCost:
        return LoopCost(*(a + b for a, b in zip(self._values(), other._values(), strict=True)))

    def __sub__(self, other: LoopCost) -> LoopCost:
        return LoopCost(*(a - b for a, b in zip(self._values(), other._values(), strict=True)))

    def _values(self) -> list[Any]:
        return [getattr(self, each.name) for each in fields(self)]


class OpenExperience(Protocol):
    """An experience in use, and what using it has cost."""

    @property
    def experience(self) -> Experience: ...

    def cost(self) -> LoopCost: ...

    def judged_by(self) -> tuple[str, ...]: ...

    def close(self) -> None: ...


class ExperienceSource(Protocol):
    """How a process gets at rewards. It must survive pickling: every process opens its own."""

    def open(self) -> OpenExperience: ...


@dataclass(frozen=True, kw_only=True)
class TrainingOrder:
    """One run: which learner, which seed, for how long, and where its files go.

    Training episodes come from `seed`; the curve is drawn from the first `curve_episodes` held-out
    episodes, the outcome from the first `held_out_episodes`.
    """

    learner: str
    seed: int
    steps: int
    folder: Path
    environments: int = 16
    curve_points: int = 12
    curve_episodes: int = 32
    held_out_episodes: int = 64
    settings: LearnerSettings = field(default_factory=LearnerSettings)

    @property
    def name(self) -> str:
        """Of the run's files."""
        return f"{self.learner}-{self.seed}"

    @property
    def checkpoint(self) -> Path:
        """Where the trained learner lies, as Stable-Baselines3 saves it."""
        return self.folder / "checkpoints" / f"{self.name}.zip"


@dataclass(frozen=True)
class TrainedRun:
    """What a run brought: the curve (points,) of mean reward, what was
    played on the held-out episodes, and the cost."""

    order: TrainingOrder
    steps: NDArray[np.integer]
    reward: NDArray[np.floating]
    played: Played
    cost: LoopCost


def train(order: TrainingOrder, source: OpenExperience, progress: Progress) -> TrainedRun:
    """Train as ordered; saves the final learner and its TensorBoard log, selects nothing."""
    import torch

    torch.set_num_threads(1)
    before, started = source.cost(), time.perf_counter()
    scenario = SharedDenoising(source.experience)
    learner = _learner(order, source.experience)
    steps, reward = [0], [_mean_reward(learner, scenario, order)]
    for chunk in _chunks(order):
        learner.learn(chunk, reset_num_timesteps=False, tb_log_name=order.name)
        progress(learner.num_timesteps - steps[-1])
        steps.append(learner.num_timesteps)
        reward.append(_mean_reward(learner, scenario, order))
    order.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    learner.save(order.checkpoint)
    played = evaluate(scenario, learner, held_out_seeds(order.held_out_episodes))
    spent = source.cost() - before
    elapsed = time.perf_counter() - started
    learning = LoopCost(
        learning_s=elapsed - spent.generating_s - spent.judging_s,
        masked=learner.replay_buffer.masked,
    )
    return TrainedRun(order, np.array(steps), np.array(reward), played, spent + learning)


def _learner(order: TrainingOrder, experience: Experience) -> OffPolicyAlgorithm:
    from allocator.agents.interchangeable import Layout
    from allocator.scenarios.vector import ScenarioVecEnv

    scenario = SharedDenoising(experience)
    return make_learner(
        order.learner,
        ScenarioVecEnv(scenario, order.environments, seed=order.seed),
        Layout(scenario.observations, scenario.actions),
        seed=order.seed,
        settings=order.settings,
        tensorboard=order.folder / "tensorboard",
    )


def _chunks(order: TrainingOrder) -> Iterator[int]:
    """Steps between two points of the curve, whole steps of the vector of environments."""
    edges = np.linspace(0, order.steps, order.curve_points).round().astype(int)
    yield from (int(size) for size in np.diff(edges))


def _mean_reward(
    learner: OffPolicyAlgorithm, scenario: SharedDenoising, order: TrainingOrder
) -> float:
    played = evaluate(scenario, learner, held_out_seeds(order.curve_episodes))
    return float(played.total_reward.mean()) / scenario.settings.slots
