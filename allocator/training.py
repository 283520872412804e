"""Training one learner as ordered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback

from allocator.agents.roster import LearnerSettings, make_learner
from allocator.evaluation import as_compared, evaluate, held_out_seeds
from allocator.experience import Experience
from allocator.scenarios.policies import Played
from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

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

    scenario: the member of SharedDenoising's family. Training episodes come from `seed`; the curve
    is drawn from the first `curve_episodes` held-out episodes, the outcome from the first
    `held_out_episodes`.
    """

    learner: str
    seed: int
    steps: int
    folder: Path
    scenario: str = "standard"
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
    """What a run brought: the curve (points,) of mean reward by steps, updates and seconds of
    learning, what was played on the held-out episodes, and the cost."""

    order: TrainingOrder
    steps: NDArray[np.integer]
    updates: NDArray[np.integer]
    learning_s: NDArray[np.floating]
    reward: NDArray[np.floating]
    played: Played
    cost: LoopCost


def train(order: TrainingOrder, source: OpenExperience, progress: Progress) -> TrainedRun:
    """Train as ordered; saves the final learner and its TensorBoard log, selects nothing."""
    import torch

    torch.set_num_threads(1)
    before, started = source.cost(), time.perf_counter()
    scenario = as_compared(source.experience, order.scenario)
    learner = _learner(order, source.experience)
    curve = LearningCurve(scenario, order, progress)
    learner.learn(order.steps, callback=curve, tb_log_name=order.name)
    order.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    learner.save(order.checkpoint)
    played = evaluate(scenario, learner, held_out_seeds(order.held_out_episodes))
    spent = source.cost() - before
    elapsed = time.perf_counter() - started
    learning = LoopCost(
        learning_s=elapsed - spent.generating_s - spent.judging_s,
        masked=masked_by(learner),
    )
    return TrainedRun(
        order,
        steps=np.array(curve.steps),
        updates=np.array(curve.updates),
        learning_s=np.array(curve.learning_s),
        reward=np.array(curve.reward),
        played=played,
        cost=spent + learning,
    )


def masked_by(learner: BaseAlgorithm) -> int:
    """How many transitions it did not learn from, for their reward was null."""
    buffer = getattr(learner, "replay_buffer", None)  # PPO has none: a null reward ends its run
    return 0 if buffer is None else int(buffer.masked)


def _learner(order: TrainingOrder, experience: Experience) -> BaseAlgorithm:
    from allocator.agents.layout import Layout
    from allocator.scenarios.vector import ScenarioVecEnv

    scenario = SharedDenoising(experience, MEMBERS[order.scenario])
    return make_learner(
        order.learner,
        ScenarioVecEnv(scenario, order.environments, seed=order.seed),
        Layout.of(scenario),
        seed=order.seed,
        settings=order.settings,
        tensorboard=order.folder / "tensorboard",
    )


class LearningCurve(BaseCallback):
    """Plays held-out episodes now and then while a learner is trained, and tells the progress.

    `steps`, `updates`, `learning_s` and `reward` are the points of the curve, the first before any
    training. Seconds do not run while the curve is played.
    """

    def __init__(self, scenario: SharedDenoising, order: TrainingOrder, progress: Progress) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.updates: list[int] = []
        self.learning_s: list[float] = []
        self.reward: list[float] = []
        self._scenario, self._progress = scenario, progress
        self._seeds = held_out_seeds(order.curve_episodes)
        self._due = np.linspace(0, order.steps, order.curve_points).round().tolist()

    def _on_training_start(self) -> None:
        self._began_s = time.perf_counter()
        self._play()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Called before every step of the environments, when the last updates are done."""
        self._play_if_due()

    def _on_training_end(self) -> None:
        self._play_if_due()

    def _play_if_due(self) -> None:
        if self.num_timesteps >= self._due[len(self.steps)]:
            self._progress(self.num_timesteps - self.steps[-1])
            self._play()

    def _play(self) -> None:
        self.learning_s.append(time.perf_counter() - self._began_s)
        self.updates.append(getattr(self.model, "_n_updates", 0))
        played = evaluate(self._scenario, self.model, self._seeds)
        self.steps.append(self.num_timesteps)
        self.reward.append(float(played.total_reward.mean()) / self._scenario.settings.slots)
        self._began_s = time.perf_counter() - self.learning_s[-1]
