"""What a learner must beat: chance, the best constant action, and a greedy planner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.optima.options import slot_options
from allocator.optima.shared_denoising import as_decision, best_within, group_frontier
from allocator.scenarios.actions import Decision
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.shared_denoising import SharedDenoising

Policy = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""Observations (B, observation) to actions (B, action)."""


@dataclass(frozen=True)
class Played:
    """B whole episodes, played to their ends.

    (B,): total_reward: the return. qoe: mean of a slot. energy_j: spent in all. budget_used: as a
    share of the budget. latency_s: mean of a picture. budget_j, joule_price: the budget, and the
    reward that a joule beyond it costs.
    (B, users): user_qoe: each user's mean over the slots, NaN if never judged. user_persona: whose
    tastes the user has, as an index into the experience's personas.
    """

    total_reward: Floats
    qoe: Floats
    energy_j: Floats
    budget_used: Floats
    latency_s: Floats
    budget_j: Floats
    joule_price: Floats
    user_qoe: Floats
    user_persona: Indices


def play(scenario: SharedDenoising, policy: Policy, seeds: Sequence[int]) -> Played:
    """Episodes of these seeds under a policy that sees observations."""

    def decide_next(observations: NDArray[np.float32], _: int) -> Decision:
        return scenario.decision(policy(observations))

    return _play(scenario, decide_next, seeds)


def carry_out(
    scenario: SharedDenoising, plan: Callable[[int], Decision], seeds: Sequence[int]
) -> Played:
    """Episodes of these seeds under a plan: slot to decision."""
    return _play(scenario, lambda _, slot: plan(slot), seeds)


def _play(
    scenario: SharedDenoising,
    decide_next: Callable[[NDArray[np.float32], int], Decision],
    seeds: Sequence[int],
) -> Played:
    observations = scenario.reset(seeds)
    outcomes, latency_s = [], []
    for slot in range(scenario.settings.slots):
        observations, outcome, _ = scenario.carry_out(decide_next(observations, slot))
        outcomes.append(outcome)
        latency_s.append(scenario.latency_s(outcome.decision).mean(axis=(1, 2)))
    qoe = mean_of_answered(np.stack([outcome.qoe for outcome in outcomes]))
    users = (len(seeds), scenario.actions.users)
    return Played(
        total_reward=returns(scenario, qoe),
        qoe=qoe,
        energy_j=scenario.spent_j,
        budget_used=scenario.spent_j / scenario.allowance.joules,
        latency_s=np.mean(latency_s, axis=0),
        budget_j=scenario.allowance.joules,
        joule_price=scenario.allowance.price,
        user_qoe=mean_of_answered(np.stack([each.rewards for each in outcomes])).reshape(users),
        user_persona=scenario.episodes.persona.reshape(users),
    )


def returns(scenario: SharedDenoising, qoe: Floats) -> Floats:
    """(B,) returns of the episodes just played, from the mean QoE (B,) of their slots.

    A slot in which nobody was judged counts as much as the mean of the others, and what was spent
    in it is charged all the same; NaN where no slot was judged.
    """
    return scenario.settings.slots * qoe - scenario.allowance.charge(scenario.spent_j)


def mean_of_answered(rewards: Floats) -> Floats:
    """(N, ...) values with NaN to means over those that are there; NaN where none is."""
    answered = ~np.isnan(rewards)
    judged = answered.sum(axis=0)
    total = np.where(answered, rewards, 0.0).sum(axis=0)
    mean: Floats = np.where(judged > 0, total / np.maximum(judged, 1), np.nan)
    return mean


def random_policy(scenario: SharedDenoising, rng: np.random.Generator) -> Policy:
    """Uniform in the action space."""
    return lambda observations: rng.uniform(-1, 1, (len(observations), scenario.actions.size))


def constant_policy(action: Floats) -> Policy:
    """The same action whatever is seen."""
    return lambda observations: np.broadcast_to(action, (len(observations), len(action)))


def best_constant_action(
    scenario: SharedDenoising,
    seeds: Sequence[int],
    rng: np.random.Generator,
    *,
    generations: int = 40,
    population: int = 48,
) -> Floats:
    """The constant action of the highest mean return on these seeds, by the cross-entropy method.

    The search runs in arctanh(action), starts wide, keeps an eighth of each generation and smooths
    by a half; users are interchangeable, so the first half of it gives all of them equal entries.
    """
    layout = scenario.actions
    parts = np.repeat([0, 1, 2], [layout.groups, layout.users, layout.users])
    tried_on = scenario.draw(seeds).repeated(population)
    mean, spread = np.zeros(3), np.full(3, 1.0)
    action = np.zeros(layout.size)
    for generation in range(generations):
        if generation == generations // 2:
            mean, spread = mean[parts], np.full(layout.size, 0.3)
            parts = np.arange(layout.size)
        tried = mean + spread * rng.standard_normal((population, len(mean)))
        tried[0] = mean
        actions = np.tanh(tried)[:, parts]
        scores = _mean_returns(scenario, actions, tried_on)
        elite = tried[np.argsort(np.nan_to_num(scores, nan=-np.inf))[-population // 8 :]]
        mean = (mean + elite.mean(axis=0)) / 2
        spread = (spread + elite.std(axis=0)) / 2
        action = np.tanh(mean)[parts]
    return action


def _mean_returns(scenario: SharedDenoising, actions: Floats, episodes: Episodes) -> Floats:
    """(P,) mean return of each constant action (P, A); episodes are P times the same.

    Episodes without a judged slot are left out; NaN where that is all of them.
    """
    each = len(episodes) // len(actions)
    scenario.begin(episodes)
    decision = scenario.decision(np.repeat(actions, each, axis=0))
    qoe = [scenario.carry_out(decision)[1].qoe for _ in range(scenario.settings.slots)]
    by_action = returns(scenario, mean_of_answered(np.stack(qoe))).reshape(-1, each)
    return mean_of_answered(by_action.T)


def greedy_plan(scenario: SharedDenoising, seeds: Sequence[int]) -> Callable[[int], Decision]:
    """Each slot's exact optimum under an equal share of what is left of the budget.

    It knows this slot's channel and every reward, but nothing of the slots to come.
    """
    episodes = scenario.draw(seeds)
    options = slot_options(scenario, episodes)
    slots = scenario.settings.slots
    left_j = scenario.budget(episodes).joules.copy()

    def decide_next(slot: int) -> Decision:
        rows = np.arange(len(seeds)) * slots + slot
        picks = [
            best_within(options, int(row), float(left) / (slots - slot))
            for row, left in zip(rows, left_j, strict=True)
        ]
        left_j[:] -= [pick.joules[0] for pick in picks]
        choices: Indices = np.concatenate([pick.choice for pick in picks])
        return as_decision(options, rows, choices)

    return decide_next


def equal_share_plan(scenario: SharedDenoising, seeds: Sequence[int]) -> Callable[[int], Decision]:
    """Every group's exact optimum within an equal share of the budget, slot by slot.

    It knows what the greedy planner knows, but what one group spares serves no other, and what one
    slot spares no other slot. A group whose share is too small takes the cheapest there is.
    """
    episodes = scenario.draw(seeds)
    options = slot_options(scenario, episodes)
    slots, groups = scenario.settings.slots, scenario.settings.groups
    share_j = scenario.budget(episodes).joules / (slots * groups)

    def best_alone(row: int, group: int, limit_j: float) -> Indices:
        frontier = group_frontier(options, row, group)
        affordable = len(frontier.within(limit_j))
        choice: Indices = frontier.choice[max(affordable - 1, 0)]
        return choice

    def decide_next(slot: int) -> Decision:
        rows = np.arange(len(seeds)) * slots + slot
        choices = [
            np.concatenate([best_alone(int(row), group, limit_j) for group in range(groups)])
            for row, limit_j in zip(rows, share_j.tolist(), strict=True)
        ]
        return as_decision(options, rows, np.stack(choices))

    return decide_next
