"""Who can be trained, by name, each with the settings it is reported with.

All learners get the same networks, batches and learning rate schedule, those off policy also the
same replay and number of updates; what may differ was sought in equally many trials (`tuning.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3 import DDPG, PPO, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.agents.layout import Layout
from allocator.agents.policies import MlpActorPolicy
from allocator.agents.replay import AnsweredReplayBuffer
from allocator.agents.settings import LearnerSettings
from allocator.agents.stochastic_rivals import (
    EveryRewardAnswered,
    UserwisePPOPolicy,
    UserwiseSACPolicy,
)

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True)
class Learner:
    """A learner's class and policy."""

    algorithm: type[BaseAlgorithm]
    policy: Any

    @property
    def replays(self) -> bool:
        """It learns from a replay buffer."""
        return issubclass(self.algorithm, OffPolicyAlgorithm)

    @property
    def explores_by_noise(self) -> bool:
        """Its policy is deterministic, so noise is added to its actions while it is trained."""
        return issubclass(self.algorithm, TD3)


LEARNERS: Mapping[str, Learner] = {
    "gddpg": Learner(GDDPG, "MlpPolicy"),
    "gddpg-mlp": Learner(GDDPG, "MlpActorPolicy"),
    "ddpg": Learner(DDPG, MlpActorPolicy),
    "td3": Learner(TD3, MlpActorPolicy),
    "sac": Learner(SAC, UserwiseSACPolicy),
    "ppo": Learner(PPO, UserwisePPOPolicy),
}
"""`gddpg-mlp` is G-DDPG but for its actor: the MLP of DDPG in the place of the diffusion model."""


def make_learner(
    name: str,
    env: VecEnv,
    layout: Layout,
    *,
    seed: int,
    settings: LearnerSettings,
    tensorboard: Path | None = None,
) -> BaseAlgorithm:
    """An untrained learner of this name; raises ValueError for a name nobody has."""
    if name not in LEARNERS:
        raise ValueError(f"no learner is called {name!r}; there are {', '.join(LEARNERS)}")
    learner = LEARNERS[name]
    told: dict[str, Any] = {
        "learning_rate": LinearSchedule(settings.learning_rate, settings.learning_rate / 20, 1.0),
        "batch_size": settings.batch_size,
        "gamma": settings.discount,
        "policy_kwargs": _networks(layout, settings),
        "tensorboard_log": None if tensorboard is None else str(tensorboard),
        "seed": seed,
        "device": "cpu",
    }
    if not learner.replays:
        told |= settings.own
        return learner.algorithm(learner.policy, EveryRewardAnswered(env), **told)
    told["policy_kwargs"]["n_critics"] = 2
    if learner.explores_by_noise:
        size = int(np.prod(env.action_space.shape))
        told["action_noise"] = NormalActionNoise(np.zeros(size), np.full(size, settings.noise))
    told |= {**_replaying(settings), **settings.own}
    return learner.algorithm(learner.policy, env, **told)


def _networks(layout: Layout, chosen: LearnerSettings) -> dict[str, Any]:
    return {
        "layout": layout,
        "net_arch": [chosen.width, chosen.width],
        "activation_fn": nn.SiLU,
        "optimizer_kwargs": {"fused": True},
    }


def _replaying(chosen: LearnerSettings) -> dict[str, Any]:
    return {
        "tau": chosen.tau,
        "learning_starts": chosen.warm_up,
        "gradient_steps": chosen.updates_per_step,
        "buffer_size": 200_000,
        "replay_buffer_class": AnsweredReplayBuffer,
    }


def load_learner(name: str, checkpoint: Path) -> BaseAlgorithm:
    """A trained learner as `make_learner` made it and `save` left it."""
    return LEARNERS[name].algorithm.load(checkpoint, device="cpu")
