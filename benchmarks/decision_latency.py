"""How long one decision takes: `python benchmarks/decision_latency.py [--rounds 20]`.

One observation, `predict(observation, deterministic=True)`, one thread: what an edge would wait for
in every slot. The diffusion actor (5 denoising steps) beside MLP actors of the same widths, on 10
numbers and on the standard scenario with the userwise networks that are trained there. "MLP" is
G-DDPG's twin: the same algorithm and policy code, another actor. On 10 numbers the chain runs in
numpy, as everywhere where one plain decision is asked for, and the MLP in PyTorch; "in PyTorch"
tells what the chain would take there. Userwise networks are all in PyTorch. Processor time, rounds
in turn, median and quartiles of the ratio within a round (`benchmarks/rounds.py`); goal: at most
twice.

Nearly all of a decision is calling: PyTorch's operations, modules' `__call__`, and before them
Stable-Baselines3's `predict`, which sets the training mode of every module, each time. The last
lines tell `predict` without the actor, and the actor alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3 import DDPG
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn

from allocator.agents.gddpg import GDDPG
from allocator.agents.layout import Layout
from allocator.scenarios.settings import STANDARD
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience
from benchmarks.agents import SIZE, USERWISE_WIDTHS, WIDTHS, Noise
from benchmarks.rounds import Quartiles, seconds_in_rounds, verdict

DECISIONS = 50
"""Of each contender in a round."""

SLOWER_THAN_MLP = 2.0
DIFFUSION, IN_PYTORCH = "diffusion actor", "diffusion actor in PyTorch"
MLP, DDPG_MLP = "MLP", "Stable-Baselines3's DDPG"


class UnknownToNumpy(nn.SiLU):
    """The same function, but none that a decision in numpy can be made with."""


def made(env: Noise, networks: dict[str, Any]) -> dict[str, BaseAlgorithm]:
    """The diffusion actor and its MLP twin."""
    silu = {"activation_fn": nn.SiLU}
    told: dict[str, Any] = {"env": env, "buffer_size": 1, "seed": 0, "device": "cpu"}
    return {
        DIFFUSION: GDDPG("MlpPolicy", policy_kwargs=networks, **told),
        MLP: GDDPG("MlpActorPolicy", policy_kwargs=networks | silu, **told),
    }


def plain() -> dict[str, BaseAlgorithm]:
    """On 10 numbers, and with them Stable-Baselines3's own policy."""
    env, networks = Noise(SIZE, SIZE), {"net_arch": WIDTHS}
    own = DDPG("MlpPolicy", env, policy_kwargs=networks, buffer_size=1, seed=0, device="cpu")
    slow = networks | {"activation_fn": UnknownToNumpy}
    chain = GDDPG("MlpPolicy", env, policy_kwargs=slow, buffer_size=1, seed=0, device="cpu")
    return made(env, networks) | {IN_PYTORCH: chain, DDPG_MLP: own}


def userwise() -> dict[str, BaseAlgorithm]:
    """On the standard scenario."""
    layout = Layout.of(SharedDenoising(synthetic_experience(), STANDARD))
    env = Noise(layout.observation.size, layout.action.size)
    return made(env, {"net_arch": USERWISE_WIDTHS, "layout": layout})


def decisions(model: BaseAlgorithm) -> Callable[[], None]:
    """Decide over and over."""
    observation = np.zeros(model.observation_space.shape, np.float32)

    def decide() -> None:
        for _ in range(DECISIONS):
            model.predict(observation, deterministic=True)

    return decide


def actors_alone(model: BaseAlgorithm) -> Callable[[], None]:
    """The same, from tensor to tensor."""
    observation = torch.zeros(1, *model.observation_space.shape)

    @torch.no_grad()
    def decide() -> None:
        for _ in range(DECISIONS):
            model.policy._predict(observation, deterministic=True)

    return decide


def report(title: str, models: Mapping[str, BaseAlgorithm], rounds: int) -> None:
    """Microseconds of everybody, and ratios beside the goal."""
    contenders = {name: decisions(model) for name, model in models.items()}
    alone = {f"{name}, alone": actors_alone(models[name]) for name in (DIFFUSION, MLP)}
    seconds = seconds_in_rounds(contenders | alone, rounds)
    print(title)
    for name, taken in seconds.items():
        print(f"  {name:<26} {Quartiles.of(1e6 * taken / DECISIONS):.0f} us")
    for ours in (DIFFUSION, IN_PYTORCH):
        for theirs in (MLP, DDPG_MLP):
            if ours in models and theirs in models:
                slower = Quartiles.of(seconds[ours] / seconds[theirs])
                reached = verdict(slower, goal=SLOWER_THAN_MLP, at_least=False)
                print(f"  the {ours} takes as long as {theirs}: {reached}")


def main() -> None:
    """Measure both kinds of networks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    told = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one decision, one thread, torch {torch.__version__}, median [IQR]")
    report(f"plain networks, width {WIDTHS[0]}", plain(), told.rounds)
    report(f"userwise networks, width {USERWISE_WIDTHS[0]}", userwise(), told.rounds)


if __name__ == "__main__":
    main()
