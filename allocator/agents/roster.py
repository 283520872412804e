"""Who can be trained, by name, each with the settings it is reported with.

All learners get the same networks, discount and learning rate, those off policy also the same
replay, exploration noise and number of updates; they differ in what their names say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3 import DDPG, PPO, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.utils import LinearSchedule
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.agents.layout import Layout
from allocator.agents.policies import MlpActorPolicy
from allocator.agents.replay import AnsweredReplayBuffer
from allocator.agents.stochastic_rivals import (
    EveryRewardAnswered,
    UserwisePPOPolicy,
    UserwiseSACPolicy,
)

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """What all learners have in common.

    learning_rate: at first; it falls in a straight line to a twentieth. warm_up: random slots
    before learning. updates_per_step: gradient steps after each step of the vector of
    environments. noise: standard deviation of what DDPG, TD3 and G-DDPG add to actions while
    training. rollout_slots: PPO's slots between updates, of each environment.
    """

    width: int = 32
    learning_rate: float = 1e-3
    batch_size: int = 128
    discount: float = 0.98
    warm_up: int = 1600
    updates_per_step: int = 8
    noise: float = 0.2
    rollout_slots: int = 64


@dataclass(frozen=True)
class Learner:
    """How a learner is made: its class, its policy, and how it collects experience.

    off_policy: it learns from a replay buffer and adds noise to its actions where it explores so.
    """

    algorithm: type[BaseAlgorithm]
    policy: Any
    off_policy: bool = True
    adds_noise: bool = True
    critics: Mapping[str, Any] = field(default_factory=lambda: {"n_critics": 2})


LEARNERS: Mapping[str, Learner] = {
    "gddpg": Learner(GDDPG, "MlpPolicy"),
    "ddpg": Learner(DDPG, MlpActorPolicy),
    "td3": Learner(TD3, MlpActorPolicy),
    "sac": Learner(SAC, UserwiseSACPolicy, adds_noise=False),
    "ppo": Learner(PPO, UserwisePPOPolicy, off_policy=False, critics={}),
}


def make_learner(
    name: str,
    env: VecEnv,
    layout: Layout,
    *,
    seed: int,
    settings: LearnerSettings | None = None,
    tensorboard: Path | None = None,
) -> BaseAlgorithm:
    """An untrained learner of this name; raises ValueError for a name nobody has."""
    if name not in LEARNERS:
        raise ValueError(f"no learner is called {name!r}; there are {', '.join(LEARNERS)}")
    chosen, learner = settings or LearnerSettings(), LEARNERS[name]
    told: dict[str, Any] = {
        "learning_rate": LinearSchedule(chosen.learning_rate, chosen.learning_rate / 20, 1.0),
        "batch_size": chosen.batch_size,
        "gamma": chosen.discount,
        "policy_kwargs": _networks(layout, chosen, learner),
        "tensorboard_log": None if tensorboard is None else str(tensorboard),
        "seed": seed,
        "device": "cpu",
    }
    if not learner.off_policy:
        told["n_steps"] = chosen.rollout_slots
        return learner.algorithm(learner.policy, EveryRewardAnswered(env), **told)
    told |= _replaying(chosen)
    if learner.adds_noise:
        size = int(np.prod(env.action_space.shape))
        told["action_noise"] = NormalActionNoise(np.zeros(size), np.full(size, chosen.noise))
    return learner.algorithm(learner.policy, env, **told)


def _networks(layout: Layout, chosen: LearnerSettings, learner: Learner) -> dict[str, Any]:
    return {
        "layout": layout,
        "net_arch": [chosen.width, chosen.width],
        "activation_fn": nn.SiLU,
        "optimizer_kwargs": {"fused": True},
        **learner.critics,
    }


def _replaying(chosen: LearnerSettings) -> dict[str, Any]:
    return {
        "learning_starts": chosen.warm_up,
        "gradient_steps": chosen.updates_per_step,
        "buffer_size": 200_000,
        "replay_buffer_class": AnsweredReplayBuffer,
    }


def load_learner(name: str, checkpoint: Path) -> BaseAlgorithm:
    """A trained learner as `make_learner` made it and `save` left it."""
    return LEARNERS[name].algorithm.load(checkpoint, device="cpu")
