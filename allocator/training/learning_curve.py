"""How a learner comes on while it is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from allocator.experiments.evaluation import evaluate
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.training.phases import PhaseTimer

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm


@dataclass
class CurvePoints:
    """The points so far, the first before any training.

    steps: slots of experience. updates: gradient updates. learning_s: seconds spent collecting and
    learning. reward: mean reward of a held-out slot.
    """

    steps: list[int] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    learning_s: list[float] = field(default_factory=list)
    reward: list[float] = field(default_factory=list)


class LearningCurve(BaseCallback):
    """Plays held-out episodes whenever training has come to the next of `due` slots."""

    def __init__(
        self,
        scenario: SharedDenoising,
        seeds: Sequence[int],
        due: Sequence[int],
        timer: PhaseTimer,
    ) -> None:
        super().__init__()
        self.points = CurvePoints()
        self._scenario, self._seeds, self._due, self._timer = scenario, seeds, due, timer

    def _on_training_start(self) -> None:
        self._play_if_due()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Called before experience is collected, when the last updates are done: off policy before
        every step of the environments."""
        self._play_if_due()

    def _on_training_end(self) -> None:
        self._play_if_due()

    def _play_if_due(self) -> None:
        played = len(self.points.steps)
        if played < len(self._due) and self.model.num_timesteps >= self._due[played]:
            with self._timer.stopped():
                self._play()

    def _play(self) -> None:
        played = evaluate(self._scenario, self.model, self._seeds)
        self.points.steps.append(self.model.num_timesteps)
        self.points.updates.append(gradient_updates(self.model))
        self.points.learning_s.append(self._timer.seconds.total)
        slots = self._scenario.settings.slots
        self.points.reward.append(float(played.total_reward.mean()) / slots)


def gradient_updates(learner: BaseAlgorithm) -> int:
    """How many gradient updates a learner has had: of the critic, where that differs."""
    counted: int = learner._n_updates
    if not isinstance(learner, OnPolicyAlgorithm):
        return counted
    # Stable-Baselines3 counts PPO's passes over a rollout, each of which is many updates.
    batches: int = math.ceil(learner.n_steps * learner.n_envs / learner.batch_size)
    return counted * batches
