"""Gradient updates per second of G-DDPG and of Stable-Baselines3's DDPG, on one thread.

    python benchmarks/agents.py [--updates 200]

Same batch, same replay, synthetic transitions of SharedDenoising-v0's shapes: only the learner is
timed. "userwise" networks share weights among users, as the demo trains them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import DDPG
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.agents.layout import Layout
from allocator.agents.policies import MlpActorPolicy
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

BATCH, FLAT, USERWISE = 128, [128, 128], [64, 64]
ALL: dict[str, Any] = {"net_arch": FLAT, "optimizer_kwargs": {"fused": True}}
LAYOUT = Layout.of(SharedDenoising(synthetic_experience(), EASY))


class Noise(gymnasium.Env[np.ndarray, np.ndarray]):
    """Random observations and rewards: nothing to learn, everything to compute."""

    observation_space = spaces.Box(-1, 1, (LAYOUT.observation.size,), np.float32)
    action_space = spaces.Box(-1, 1, (LAYOUT.action.size,), np.float32)

    def reset(self, *, seed: int | None = None, options: None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self._draw(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._draw(), float(self.np_random.random()), False, False, {}

    def _draw(self) -> np.ndarray:
        return self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)


def gddpg(steps: int, **policy: Any) -> OffPolicyAlgorithm:
    kwargs = {**ALL, **policy}
    return GDDPG("MlpPolicy", Noise(), denoising_steps=steps, policy_kwargs=kwargs, **common())


def ddpg(**policy: Any) -> OffPolicyAlgorithm:
    kwargs = {"activation_fn": nn.SiLU, "n_critics": 2, **ALL, **policy}
    return DDPG(MlpActorPolicy, Noise(), policy_kwargs=kwargs, **common())


def common() -> dict[str, Any]:
    return {"batch_size": BATCH, "buffer_size": 2000, "learning_starts": 1000, "seed": 0}


LEARNERS: dict[str, Callable[[], OffPolicyAlgorithm]] = {
    "DDPG, twin critics": ddpg,
    "G-DDPG, 3 denoising steps": lambda: gddpg(3),
    "G-DDPG, 5 denoising steps": lambda: gddpg(5),
    "G-DDPG, 5 denoising steps, Mish": lambda: gddpg(5, activation_fn=nn.Mish),
    "DDPG, userwise": lambda: ddpg(layout=LAYOUT, net_arch=USERWISE),
    "G-DDPG, 3 denoising steps, userwise": lambda: gddpg(3, layout=LAYOUT, net_arch=USERWISE),
    "G-DDPG, 5 denoising steps, userwise": lambda: gddpg(5, layout=LAYOUT, net_arch=USERWISE),
}


def updates_per_second(model: OffPolicyAlgorithm, updates: int) -> float:
    model.learn(1000)  # fills the buffer without learning
    model.train(gradient_steps=10, batch_size=BATCH)
    began = time.perf_counter()
    model.train(gradient_steps=updates, batch_size=BATCH)
    return updates / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=200)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"batch {BATCH}, widths {FLAT}, userwise {USERWISE}, torch {torch.__version__}, 1 thread")
    for name, make in LEARNERS.items():
        print(f"{name:<40} {updates_per_second(make(), options.updates):7.0f} updates/s")


if __name__ == "__main__":
    main()
