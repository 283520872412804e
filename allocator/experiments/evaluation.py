"""Held-out episodes: the same ones for every agent, and none that training ever draws.

Everybody is compared in expectation over the seeds of the pictures, which nobody knows beforehand:
see `ExpectedExperience`. So the optimum is one that a policy may reach, and luck decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from allocator.experience import ExpectedExperience, Experience
from allocator.scenarios.policies import (
    Played,
    best_constant_action,
    carry_out,
    constant_policy,
    equal_share_plan,
    greedy_plan,
    play,
    random_policy,
)
from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

HELD_OUT, PRACTICE = 10_000_000_000, 20_000_000_000
"""Held-out episodes have the seeds HELD_OUT, HELD_OUT + 1, ...; the best constant action is sought
on those from PRACTICE on. Training draws its episodes from one generator for each run, seeded with
the run's number, so it never meets any of these."""

PRACTICE_EPISODES = 64


class NothingJudgedError(RuntimeError):
    """An episode has no judged slot, so nothing can be said of it."""


def as_compared(
    experience: Experience, member: str, seen: Experience | None = None
) -> SharedDenoising:
    """The member of the family with this name, with rewards in expectation.

    seen: what the state tells of the catalogue, if that is not the experience itself.
    """
    return SharedDenoising(ExpectedExperience(experience), MEMBERS[member], seen=seen)


def held_out_seeds(episodes: int) -> tuple[int, ...]:
    """The seeds of the first `episodes` held-out episodes."""
    return tuple(range(HELD_OUT, HELD_OUT + episodes))


def evaluate(scenario: SharedDenoising, learner: BaseAlgorithm, seeds: Sequence[int]) -> Played:
    """What a trained learner gets out of these episodes when it no longer explores."""
    return _judged(play(scenario, lambda seen: learner.predict(seen, deterministic=True)[0], seeds))


def evaluate_random(scenario: SharedDenoising, seeds: Sequence[int], *, seed: int) -> Played:
    """Uniform actions: what everything is measured from."""
    policy = random_policy(scenario, np.random.default_rng(seed))
    return _judged(play(scenario, policy, seeds))


def evaluate_best_constant(scenario: SharedDenoising, seeds: Sequence[int], *, seed: int) -> Played:
    """The constant action found best on episodes of its own, played on these."""
    practice = range(PRACTICE, PRACTICE + PRACTICE_EPISODES)
    action = best_constant_action(scenario, practice, np.random.default_rng(seed))
    return _judged(play(scenario, constant_policy(action), seeds))


def evaluate_equal_share(scenario: SharedDenoising, seeds: Sequence[int]) -> Played:
    """Each group's optimum within an equal share of each slot's share of the budget."""
    return _judged(carry_out(scenario, equal_share_plan(scenario, seeds), seeds))


def evaluate_greedy(scenario: SharedDenoising, seeds: Sequence[int]) -> Played:
    """Each slot's optimum under an equal share of what is left, blind to what is to come."""
    return _judged(carry_out(scenario, greedy_plan(scenario, seeds), seeds))


def evaluate_optimum(scenario: SharedDenoising, seeds: Sequence[int]) -> Played:
    """The episode's optimum with hindsight of the channel: an upper bound, not a policy."""
    from allocator.optima.shared_denoising import episode_optima

    optima = episode_optima(scenario, seeds)
    return _judged(carry_out(scenario, optima.decision, seeds))


def _judged(played: Played) -> Played:
    unjudged = int((~np.isfinite(played.qoe)).sum())
    if unjudged:
        raise NothingJudgedError(
            f"{unjudged} of {len(played.qoe)} episodes have no judged slot: "
            "see what the service says (qoe judges --server URL)"
        )
    return played
