"""Gradient updates per second: G-DDPG, a textbook diffusion actor, and Stable-Baselines3's DDPG.

    python benchmarks/agents.py [--rounds 12] [--updates 2]

State 10, action 10, width 256, two hidden layers, batch 512, float32, one thread; all learners draw
batches from the same kind of replay buffer, filled with synthetic transitions. Processor time,
rounds in turn, median and quartiles of the ratio within a round (`benchmarks/rounds.py`).

Equal in G-DDPG and the textbook (`benchmarks/textbook_gddpg.py`): 6 denoising steps, the sizes of
the state encoder and of Stable-Baselines3's twin critics, the equations of the critics and targets,
an actor update for each critic update. What differs, because it is the design:
 - the textbook encodes the state in every denoising step and feeds it to a trunk of two layers;
   G-DDPG encodes it once and adds it to what one hidden layer sees;
 - the textbook's activation is Mish, G-DDPG's SiLU, the same shape;
 - the textbook's actor follows the worse of both critics and fills the critics' gradients too;
   G-DDPG's follows the first critic and asks for the actor's gradients alone;
 - the textbook has AdamW as it comes, G-DDPG the fused Adam; G-DDPG clips gradients.
"Textbook, SiLU and fused" takes the second and half of the fourth away. DDPG has ReLU; its first
line, as it comes, is with one critic: less work than G-DDPG's two.

Userwise networks are those of the standard scenario, with the settings learners are trained with.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
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
from allocator.scenarios.settings import STANDARD
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience
from benchmarks.rounds import Quartiles, seconds_in_rounds, verdict
from benchmarks.textbook_gddpg import TextbookGDDPG

SIZE, WIDTHS, BATCH = 10, [256, 256], 512
USERWISE_WIDTHS, USERWISE_BATCH = [32, 32], 128
FUSED = {"optimizer_kwargs": {"fused": True}}
FASTER_THAN_TEXTBOOK, SLOWER_THAN_DDPG = 1.5, 3.5


class Noise(gymnasium.Env[np.ndarray, np.ndarray]):
    """Random observations and rewards: nothing to learn, everything to compute."""

    def __init__(self, observation: int, action: int) -> None:
        self.observation_space = spaces.Box(-1, 1, (observation,), np.float32)
        self.action_space = spaces.Box(-1, 1, (action,), np.float32)

    def reset(self, *, seed: int | None = None, options: None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return self._draw(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._draw(), float(self.np_random.random()), False, False, {}

    def _draw(self) -> np.ndarray:
        return self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)


def learner(
    algorithm: type[OffPolicyAlgorithm],
    policy: Any = "MlpPolicy",
    *,
    env: gymnasium.Env[Any, Any] | None = None,
    networks: dict[str, Any] | None = None,
    **told: Any,
) -> OffPolicyAlgorithm:
    """An untrained learner with a full replay buffer."""
    model = algorithm(
        policy,
        env or Noise(SIZE, SIZE),
        policy_kwargs={"net_arch": WIDTHS, **(networks or {})},
        buffer_size=1000,
        learning_starts=1000,
        seed=0,
        device="cpu",
        **told,
    )
    model.learn(1000)
    return model


def plain_learners() -> dict[str, OffPolicyAlgorithm]:
    """Whom the goals are about."""
    return {
        "G-DDPG, 6 steps": learner(GDDPG, denoising_steps=6, networks=FUSED),
        "textbook, 6 steps": learner(TextbookGDDPG, denoising_steps=6),
        "textbook, SiLU and fused": learner(
            TextbookGDDPG, denoising_steps=6, networks={"activation_fn": nn.SiLU, **FUSED}
        ),
        "G-DDPG, 5 steps": learner(GDDPG, denoising_steps=5, networks=FUSED),
        "DDPG": learner(DDPG),
        "DDPG, twin critics": learner(DDPG, networks={"n_critics": 2}),
        "DDPG, twin critics, fused": learner(DDPG, networks={"n_critics": 2, **FUSED}),
    }


def userwise_learners() -> dict[str, OffPolicyAlgorithm]:
    """Those of the standard scenario."""
    layout = Layout.of(SharedDenoising(synthetic_experience(), STANDARD))
    env = Noise(layout.observation.size, layout.action.size)
    networks = {"net_arch": USERWISE_WIDTHS, "layout": layout, "n_critics": 2, **FUSED}
    silu = {"activation_fn": nn.SiLU}
    return {
        "G-DDPG, 5 steps, userwise": learner(GDDPG, env=env, networks=networks),
        "DDPG, userwise": learner(DDPG, MlpActorPolicy, env=env, networks=networks | silu),
    }


def measured(
    learners: dict[str, OffPolicyAlgorithm], batch: int, rounds: int, updates: int
) -> Callable[[str, str], Quartiles]:
    """Print everybody's updates per second; how many times as long one takes as another."""
    work = {
        name: partial(model.train, gradient_steps=updates, batch_size=batch)
        for name, model in learners.items()
    }
    seconds = seconds_in_rounds(work, rounds)
    for name, taken in seconds.items():
        print(f"  {name:<28} {Quartiles.of(updates / taken):.1f} updates/s")
    return lambda one, other: Quartiles.of(seconds[one] / seconds[other])


def main() -> None:
    """Measure, and print the ratios beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--updates", type=int, default=2, help="of each learner in a round")
    told = parser.parse_args()
    torch.set_num_threads(1)
    print(f"width {WIDTHS[0]}, batch {BATCH}, torch {torch.__version__}, one thread, median [IQR]")
    ratio = measured(plain_learners(), BATCH, told.rounds, told.updates)
    for textbook in ("textbook, 6 steps", "textbook, SiLU and fused"):
        faster = ratio(textbook, "G-DDPG, 6 steps")
        reached = verdict(faster, goal=FASTER_THAN_TEXTBOOK, at_least=True)
        print(f"  G-DDPG is faster than {textbook}: {reached}")
    for ddpg in ("DDPG", "DDPG, twin critics", "DDPG, twin critics, fused"):
        slower = ratio("G-DDPG, 5 steps", ddpg)
        reached = verdict(slower, goal=SLOWER_THAN_DDPG, at_least=False)
        print(f"  G-DDPG is slower than {ddpg}: {reached}")
    print(f"userwise, width {USERWISE_WIDTHS[0]}, batch {USERWISE_BATCH}")
    ratio = measured(userwise_learners(), USERWISE_BATCH, told.rounds, told.updates)
    slower = ratio("G-DDPG, 5 steps, userwise", "DDPG, userwise")
    print(f"  G-DDPG is slower than DDPG: {slower:.2f} x")


if __name__ == "__main__":
    main()
