"""Training one learner as ordered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from allocator.agents.roster import LearnerSettings, make_learner
from allocator.evaluation import as_compared, evaluate, held_out_seeds
from allocator.experience import Experience
from allocator.learning_curve import LearningCurve
from allocator.phases import PhaseSeconds, PhaseTimer
from allocator.scenarios.policies import Played
from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

Progress = Callable[[int], None]
"""Told how many environment steps were just taken."""

PREDICTIONS = 200
"""How often a decision is timed; the median does not see the slow first ones."""


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
    def curve_due(self) -> tuple[int, ...]:
        """After how many steps a point of the curve is due."""
        return tuple(np.linspace(0, self.steps, self.curve_points).round().astype(int).tolist())

    @property
    def checkpoint(self) -> Path:
        """Where the trained learner lies, as Stable-Baselines3 saves it."""
        return self.folder / "checkpoints" / f"{self.name}.zip"


@dataclass(frozen=True)
class TrainedRun:
    """What a run brought.

    (points,), the curve: steps: slots of experience. updates: gradient updates until then.
    learning_s: seconds spent collecting and learning until then. reward: of a held-out slot.
    decision_s: median wall-clock of one deterministic decision for one cell. played: the held-out
    episodes. seconds: of training, by phase. cost: of the loop.
    """

    order: TrainingOrder
    steps: NDArray[np.integer]
    updates: NDArray[np.integer]
    learning_s: NDArray[np.floating]
    reward: NDArray[np.floating]
    decision_s: float
    played: Played
    seconds: PhaseSeconds
    cost: LoopCost


def train(order: TrainingOrder, source: OpenExperience, progress: Progress) -> TrainedRun:
    """Train as ordered; saves the final learner and its TensorBoard log, selects nothing."""
    import torch

    torch.set_num_threads(1)
    before = source.cost()
    scenario = as_compared(source.experience, order.scenario)
    learner = _learner(order, source.experience)
    timer = PhaseTimer(lambda: source.cost().generating_s + source.cost().judging_s)
    curve = LearningCurve(scenario, held_out_seeds(order.curve_episodes), order.curve_due, timer)
    callbacks = CallbackList([timer, curve, ProgressTeller(order.steps, progress)])
    learner.learn(order.steps, callback=callbacks, tb_log_name=order.name)
    order.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    learner.save(order.checkpoint)
    points = curve.points
    return TrainedRun(
        order,
        steps=np.array(points.steps),
        updates=np.array(points.updates),
        learning_s=np.array(points.learning_s),
        reward=np.array(points.reward),
        decision_s=decision_seconds(learner),
        played=evaluate(scenario, learner, held_out_seeds(order.held_out_episodes)),
        seconds=timer.seconds,
        cost=source.cost() - before + LoopCost(masked=masked_by(learner)),
    )


def decision_seconds(learner: BaseAlgorithm) -> float:
    """The median wall-clock of one decision for one cell, without exploring."""
    seen = learner.observation_space.sample()
    passed_s = []
    for _ in range(PREDICTIONS):
        started = time.perf_counter()
        learner.predict(seen, deterministic=True)
        passed_s.append(time.perf_counter() - started)
    return float(np.median(passed_s))


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


class ProgressTeller(BaseCallback):
    """Tells the progress of a run at every hundredth of it."""

    def __init__(self, steps: int, progress: Progress) -> None:
        super().__init__()
        self._every, self._progress = steps / 100, progress

    def _on_training_start(self) -> None:
        self._told = self.model.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.model.num_timesteps - self._told >= self._every:
            self._tell()

    def _on_training_end(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self._progress(self.model.num_timesteps - self._told)
        self._told = self.model.num_timesteps
