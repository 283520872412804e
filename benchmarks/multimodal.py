"""Where a diffusion actor helps: how much of the best reward is found when there are many peaks.

    python benchmarks/multimodal.py [--seeds 5] [--figure docs/figures/multimodal.png]

A contextual bandit. Each of d entries of the action has two peaks, a narrow high one and a wide low
one, whose places depend on the context; so there are 2^d local optima and one is best:

    r = 1/d sum_i max( exp(-((a_i - c_i)^2) / 0.02), 0.7 exp(-((a_i + c_i)^2) / 0.18) )

with c_i in +-[0.3, 0.8] told by the context. Everything but the actor is equal: critics,
replay, exploration noise, number of updates. The chain of the diffusion actor is started from other
noises for the other candidates; DDPG's actor has one answer and no choice.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.noise import NormalActionNoise
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.report.paper import PAPER, PNG_DPI, paper_figure

DIMENSIONS = (1, 2, 4, 8)
SLOTS, UPDATES_PER_SLOT, CONTEXTS = 8_000, 0.25, 500
MLP, DIFFUSION = POLICIES = ("MlpActorPolicy", "MlpPolicy")
LEARNERS: Mapping[str, tuple[str, int]] = {
    "MLP actor": (MLP, 1),
    "diffusion actor": (DIFFUSION, 1),
    "diffusion actor, best of 16": (DIFFUSION, 16),
}


class Peaks(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """One step an episode; the context says where the high peaks are."""

    def __init__(self, dimensions: int) -> None:
        self.observation_space = spaces.Box(-1, 1, (dimensions,), np.float32)
        self.action_space = spaces.Box(-1, 1, (dimensions,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.context = contexts(self.np_random, 1, self.observation_space.shape[0])[0]
        return self.context, {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        return self.context, float(rewards(self.context, action)), True, False, {}


def contexts(rng: np.random.Generator, count: int, dimensions: int) -> NDArray[np.float32]:
    """(count, d) places of the high peaks."""
    place = rng.uniform(0.3, 0.8, (count, dimensions)) * rng.choice([-1, 1], (count, dimensions))
    return place.astype(np.float32)


def rewards(context: NDArray[Any], action: NDArray[Any]) -> NDArray[np.float64]:
    """(..., d) contexts and actions to (...) rewards; 1 is the best there is."""
    high = np.exp(-((action - context) ** 2) / 0.02)
    low = 0.7 * np.exp(-((action + context) ** 2) / 0.18)
    return np.maximum(high, low).mean(axis=-1)


def trained(policy: str, dimensions: int, seed: int) -> GDDPG:
    return GDDPG(
        policy,
        Peaks(dimensions),
        learning_rate=1e-3,
        seed=seed,
        batch_size=128,
        learning_starts=500,
        gamma=0.0,
        train_freq=8,
        gradient_steps=round(8 * UPDATES_PER_SLOT),
        policy_kwargs={"net_arch": [64, 64], "activation_fn": nn.SiLU},
        action_noise=NormalActionNoise(np.zeros(dimensions), np.full(dimensions, 0.3)),
    ).learn(SLOTS)


def found(model: GDDPG, candidates: int, dimensions: int) -> float:
    """Mean reward on contexts that training did not draw."""
    seen = contexts(np.random.default_rng(10_000), CONTEXTS, dimensions)
    if candidates > 1:
        model.policy.candidates = candidates
    actions, _ = model.predict(seen, deterministic=True)
    return float(rewards(seen, actions).mean())


def measured(seeds: int) -> dict[str, NDArray[np.float64]]:
    """Per learner (dimensions, seeds) mean rewards."""
    scores = {name: np.empty((len(DIMENSIONS), seeds)) for name in LEARNERS}
    for row, dimensions in enumerate(DIMENSIONS):
        for seed in range(seeds):
            models = {policy: trained(policy, dimensions, seed) for policy in POLICIES}
            for name, (policy, candidates) in LEARNERS.items():
                scores[name][row, seed] = found(models[policy], candidates, dimensions)
        told = "  ".join(f"{name} {scores[name][row].mean():.3f}" for name in LEARNERS)
        print(f"{2**dimensions:4d} peaks: {told}", flush=True)
    return scores


def draw(scores: Mapping[str, NDArray[np.float64]], path: Path) -> None:
    with paper_figure(height_in=2.6) as figure:
        axes = figure.add_subplot()
        for number, (name, table) in enumerate(scores.items()):
            middle = table.mean(axis=1)
            ends = np.abs(np.quantile(table, [0.0, 1.0], axis=1) - middle)
            beside = np.arange(len(middle)) + 0.06 * (number - 1)
            axes.errorbar(beside, middle, ends, capsize=2, label=name, **PAPER.line(number))
        axes.set_xticks(range(len(DIMENSIONS)), [str(2**d) for d in DIMENSIONS])
        axes.set(xlabel="local optima", ylabel="mean reward (1 is the best)")
        axes.legend()
        figure.savefig(path, dpi=PNG_DPI)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    scores = measured(options.seeds)
    if options.figure:
        draw(scores, options.figure)


if __name__ == "__main__":
    main()
