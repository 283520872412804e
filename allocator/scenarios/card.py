"""The scenario's card: is there anything to learn, and how much?

Chance, the best constant action, equal shares, a greedy planner and the optimum on the same
held-out episodes.
A scenario that one constant action nearly solves has nothing to teach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.experiments.evaluation import (
    evaluate_best_constant,
    evaluate_equal_share,
    evaluate_greedy,
    evaluate_random,
    held_out_seeds,
)
from allocator.experiments.intervals import Interval, mean_interval, progress_between
from allocator.optima.shared_denoising import episode_optima
from allocator.scenarios.policies import Played, carry_out
from allocator.scenarios.shared_denoising import SharedDenoising


@dataclass(frozen=True)
class CardRow:
    """One rival on the held-out episodes.

    total_reward: an episode's return. progress: share of the way from random to the optimum.
    qoe: of a slot. budget_used: 1 is all of it. latency_s: of a picture.
    """

    name: str
    total_reward: Interval
    progress: float
    qoe: float
    energy_j: float
    budget_used: float
    latency_s: float


@dataclass(frozen=True)
class ScenarioCard:
    """bound: no policy's mean return on these episodes exceeds it. gap: the optimum's, at most."""

    scenario: str
    episodes: int
    rows: tuple[CardRow, ...]
    bound: float
    gap: float


def scenario_card(
    scenario: SharedDenoising, *, name: str, episodes: int = 64, seed: int = 0
) -> ScenarioCard:
    """Play all rivals on `episodes` held-out episodes; about half a second each."""
    rng = np.random.default_rng(seed)
    held_out = held_out_seeds(episodes)
    optima = episode_optima(scenario, held_out)
    played = {
        "random": evaluate_random(scenario, held_out, seed=seed),
        "best constant": evaluate_best_constant(scenario, held_out, seed=seed),
        "equal share": evaluate_equal_share(scenario, held_out),
        "greedy": evaluate_greedy(scenario, held_out),
        "optimum": carry_out(scenario, optima.decision, held_out),
    }
    floor = float(played["random"].total_reward.mean())
    ceiling = float(played["optimum"].total_reward.mean())
    return ScenarioCard(
        scenario=f"SharedDenoising, {name}",
        episodes=episodes,
        rows=tuple(_row(name, result, floor, ceiling, rng) for name, result in played.items()),
        bound=float(optima.bound.mean()),
        gap=float(optima.gap.max()),
    )


def _row(
    name: str, played: Played, floor: float, ceiling: float, rng: np.random.Generator
) -> CardRow:
    interval = mean_interval(played.total_reward, rng)
    return CardRow(
        name=name,
        total_reward=interval,
        progress=float(progress_between(interval.point, floor, ceiling)),
        qoe=float(np.nanmean(played.qoe)),
        energy_j=float(played.energy_j.mean()),
        budget_used=float(played.budget_used.mean()),
        latency_s=float(played.latency_s.mean()),
    )
