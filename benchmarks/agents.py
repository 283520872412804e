"""Gradient updates per second of G-DDPG and of Stable-Baselines3's DDPG, on one thread.

    python benchmarks/agents.py [--updates 200] [--observation 60] [--actions 20]

Same batch, same widths, synthetic transitions: only the learner is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import DDPG
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import nn

from allocator.agents.gddpg import GDDPG

BATCH, WIDTHS = 128, [128, 128]


class Noise(gymnasium.Env[np.ndarray, np.ndarray]):
    """Random observations and rewards: nothing to learn, everything to compute."""

    def __init__(self, observation: int, actions: int) -> None:
        self.observation_space = spaces.Box(-1, 1, (observation,), np.float32)
        self.action_space = spaces.Box(-1, 1, (actions,), np.float32)

    def reset(self, *, seed: int | None = None, options: None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self._draw(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._draw(), float(self.np_random.random()), False, False, {}

    def _draw(self) -> np.ndarray:
        return self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)


def gddpg(
    env: gymnasium.Env, steps: int, activation: type[nn.Module] = nn.SiLU
) -> OffPolicyAlgorithm:
    kwargs = {"net_arch": WIDTHS, "activation_fn": activation}
    return GDDPG("MlpPolicy", env, denoising_steps=steps, policy_kwargs=kwargs, **common())


def ddpg(env: gymnasium.Env) -> OffPolicyAlgorithm:
    kwargs = {"net_arch": WIDTHS, "activation_fn": nn.SiLU, "n_critics": 2}
    return DDPG("MlpPolicy", env, policy_kwargs=kwargs, **common())


def common() -> dict[str, object]:
    return {"batch_size": BATCH, "buffer_size": 2000, "learning_starts": 1000, "seed": 0}


def updates_per_second(model: OffPolicyAlgorithm, updates: int) -> float:
    model.learn(1000)  # fills the buffer without learning
    model.train(gradient_steps=10, batch_size=BATCH)
    began = time.perf_counter()
    model.train(gradient_steps=updates, batch_size=BATCH)
    return updates / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--observation", type=int, default=60)
    parser.add_argument("--actions", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    learners: dict[str, Callable[[gymnasium.Env], OffPolicyAlgorithm]] = {
        "DDPG (stable-baselines3, twin critics)": ddpg,
        "G-DDPG, 3 denoising steps": lambda env: gddpg(env, 3),
        "G-DDPG, 5 denoising steps": lambda env: gddpg(env, 5),
        "G-DDPG, 5 denoising steps, Mish": lambda env: gddpg(env, 5, nn.Mish),
    }
    print(f"batch {BATCH}, widths {WIDTHS}, torch {torch.__version__}, 1 thread")
    for name, make in learners.items():
        rate = updates_per_second(
            make(Noise(options.observation, options.actions)), options.updates
        )
        print(f"{name:<40} {rate:7.0f} updates/s")


if __name__ == "__main__":
    main()
