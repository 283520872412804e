"""Who can be trained, by name, each with the settings it is reported with.

All learners get the same networks, replay, exploration noise, discount and number of updates;
they differ in what their names say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3 import DDPG, TD3
from stable_baselines3.common.noise import NormalActionNoise
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.agents.interchangeable import Layout
from allocator.agents.policies import MlpActorPolicy
from allocator.agents.replay import AnsweredReplayBuffer

if TYPE_CHECKING:
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
    from stable_baselines3.common.vec_env import VecEnv


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """What all learners have in common.

    warm_up: random slots before learning. updates_per_step: gradient steps after each step of the
    vector of environments. noise: standard deviation of what is added to actions while training.
    """

    width: int = 64
    learning_rate: float = 3e-4
    batch_size: int = 128
    discount: float = 0.98
    warm_up: int = 1600
    updates_per_step: int = 4
    noise: float = 0.2


def _gddpg(env: VecEnv, common: dict[str, Any], policy: dict[str, Any]) -> OffPolicyAlgorithm:
    return GDDPG("MlpPolicy", env, policy_kwargs=policy, **common)


def _ddpg(env: VecEnv, common: dict[str, Any], policy: dict[str, Any]) -> OffPolicyAlgorithm:
    return DDPG(MlpActorPolicy, env, policy_kwargs=policy, **common)


def _td3(env: VecEnv, common: dict[str, Any], policy: dict[str, Any]) -> OffPolicyAlgorithm:
    return TD3(MlpActorPolicy, env, policy_kwargs=policy, **common)


Maker = Callable[["VecEnv", dict[str, Any], dict[str, Any]], "OffPolicyAlgorithm"]

LEARNERS: Mapping[str, Maker] = {"gddpg": _gddpg, "ddpg": _ddpg, "td3": _td3}


def make_learner(
    name: str,
    env: VecEnv,
    layout: Layout,
    *,
    seed: int,
    settings: LearnerSettings | None = None,
    tensorboard: Path | None = None,
) -> OffPolicyAlgorithm:
    """An untrained learner of this name; raises ValueError for a name nobody has."""
    if name not in LEARNERS:
        raise ValueError(f"no learner is called {name!r}; there are {', '.join(LEARNERS)}")
    chosen = settings or LearnerSettings()
    size = int(np.prod(env.action_space.shape))
    common = {
        "learning_rate": chosen.learning_rate,
        "batch_size": chosen.batch_size,
        "gamma": chosen.discount,
        "learning_starts": chosen.warm_up,
        "gradient_steps": chosen.updates_per_step,
        "buffer_size": 200_000,
        "replay_buffer_class": AnsweredReplayBuffer,
        "action_noise": NormalActionNoise(np.zeros(size), np.full(size, chosen.noise)),
        "tensorboard_log": None if tensorboard is None else str(tensorboard),
        "seed": seed,
        "device": "cpu",
    }
    policy = {
        "layout": layout,
        "net_arch": [chosen.width, chosen.width],
        "activation_fn": nn.SiLU,
        "n_critics": 2,
    }
    return LEARNERS[name](env, common, policy)


def load_learner(name: str, checkpoint: Path) -> OffPolicyAlgorithm:
    """A trained learner as `make_learner` made it and `save` left it."""
    classes = {"gddpg": GDDPG, "ddpg": DDPG, "td3": TD3}
    learner: OffPolicyAlgorithm = classes[name].load(checkpoint, device="cpu")
    return learner
