"""The optimum of SharedDenoising-v0: of a slot at a price, of a slot under a budget, of an episode.

Given a price of energy, groups do not matter to each other and the optimum is an enumeration.
Under a slot's budget the groups' frontiers are added up, which is exact. Over an episode with
hindsight of the channel it is a multiple-choice knapsack: dynamic programming gives a plan that can
be carried out, the Lagrangian dual a bound that nothing can exceed, and the gap between the two is
reported. Rewards are the slots' mean rewards as the scenario pays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.optima.frontiers import Frontier, either, thinned, total
from allocator.optima.knapsack import best_picks
from allocator.optima.options import SlotOptions, slot_options
from allocator.scenarios.actions import Decision
from allocator.scenarios.budget import Budget
from allocator.scenarios.shared_denoising import SharedDenoising

ENERGY_CELLS = 20_000
BISECTIONS = 40


@dataclass(frozen=True)
class PricedOptimum:
    """The best of N slots when energy has a price.

    value: (N,) reward minus price times joules. reward, joules: (N,). decision: what to do.
    """

    value: Floats
    reward: Floats
    joules: Floats
    decision: Decision


@dataclass(frozen=True)
class EpisodeOptima:
    """The best of B episodes with hindsight.

    value: (B,) return of a plan that can be carried out. bound: (B,) no policy's return exceeds it.
    joules: (B,) what the plan spends. branch, power: (B, S, G, K) the plan.
    """

    value: Floats
    bound: Floats
    joules: Floats
    branch: Indices
    power: Indices

    @property
    def gap(self) -> Floats:
        """(B,) how far the plan may be from the true optimum, as a share of the bound."""
        share: Floats = (self.bound - self.value) / np.abs(self.bound)
        return share

    def decision(self, slot: int) -> Decision:
        """What to do in a slot."""
        return Decision(self.branch[:, slot], self.power[:, slot])


def best_at_price(options: SlotOptions, price: Floats) -> PricedOptimum:
    """Exact optimum of every slot, given each slot's price (N,) in reward per joule.

    A group whose edge runs d steps lets each user branch anywhere up to d, so a running maximum
    over branch steps gives every d at once.
    """
    T = options.reward.shape[3]
    by_step = price[:, None, None, None]
    possible = np.isfinite(options.joules)
    cost = by_step[..., None] * np.where(possible, options.joules, 0.0)
    worth = np.where(possible, options.reward - cost, -np.inf)  # (N, G, K, T, E)
    level = worth.argmax(axis=-1)  # (N, G, K, T)
    by_branch = worth.max(axis=-1)
    up_to = np.maximum.accumulate(by_branch, axis=-1)
    steps = np.where(by_branch == up_to, np.arange(T), 0)
    best_branch = np.maximum.accumulate(steps, axis=-1)
    server = price[:, None, None] * options.server_step_j * np.arange(T)
    by_depth = up_to.sum(axis=2) - server  # (N, G, T)
    depth = by_depth.argmax(axis=-1)  # (N, G)
    branch = np.take_along_axis(best_branch, depth[:, :, None, None], axis=-1)[..., 0]
    chosen_level = np.take_along_axis(level, branch[..., None], axis=-1)[..., 0]
    at = (*np.ix_(*map(np.arange, branch.shape)), branch, chosen_level)
    reward = options.reward[at].sum(axis=(1, 2))
    joules = options.joules[at].sum(axis=(1, 2))
    joules = joules + options.server_step_j * branch.max(axis=-1).sum(axis=-1)
    return PricedOptimum(
        value=by_depth.max(axis=-1).sum(axis=-1),
        reward=reward,
        joules=joules,
        decision=options.decision(branch, chosen_level),
    )


def group_frontier(options: SlotOptions, slot: int, group: int) -> Frontier:
    """Every efficient way to serve one group in one slot; choices are T x E option numbers."""
    reward, joules = options.reward[slot, group], options.joules[slot, group]  # (K, T, E)
    K, T, E = reward.shape
    number = np.arange(T * E).reshape(T, E)

    def user(k: int, depth: int) -> Frontier:
        steps = slice(0, depth + 1)
        choice = number[steps].reshape(-1, 1)
        return thinned(joules[k, steps].ravel(), reward[k, steps].ravel(), choice)

    def at_depth(depth: int) -> Frontier:
        members = total([user(k, depth) for k in range(K)])
        return members.plus(depth * options.server_step_j)

    return either([at_depth(depth) for depth in range(T)])


def best_within(options: SlotOptions, slot: int, limit_j: float) -> Frontier:
    """Exact optimum of one slot that spends at most `limit_j`: a frontier of one point.

    If nothing is that cheap, the cheapest there is.
    """
    groups = [group_frontier(options, slot, group) for group in range(options.reward.shape[1])]
    least = [float(frontier.joules[0]) for frontier in groups]
    spare = max(limit_j - sum(least), 0.0)
    affordable = [
        frontier.within(cheapest + spare) for frontier, cheapest in zip(groups, least, strict=True)
    ]
    whole = total(affordable)
    best = max(int(np.searchsorted(whole.joules, limit_j, side="right")) - 1, 0)
    one = slice(best, best + 1)
    return Frontier(whole.joules[one], whole.reward[one], whole.choice[one])


def as_decision(options: SlotOptions, slots: Indices, choices: Indices) -> Decision:
    """Option numbers (N, G x K) of these slots (N,) as a decision."""
    _, G, K, _, E = options.reward.shape
    branch, level = np.divmod(choices.reshape(-1, G, K), E)
    chosen = SlotOptions(
        options.reward[slots], options.joules[slots], options.power[slots], options.server_step_j
    )
    return chosen.decision(branch, level)


def dual_bound(options: SlotOptions, budget: Budget) -> Floats:
    """(B,) the Lagrangian dual: no return of any policy, overspending included, exceeds it.

    For every price p, max(reward - charge(joules)) is at most max(reward - p x joules) plus
    max(p x joules - charge(joules)). The least over p, found by bisection.
    """
    episodes = len(budget.joules)
    slots = len(options) // episodes
    low, high = np.zeros(episodes), budget.price.copy()
    bound = np.full(episodes, np.inf)
    for _ in range(BISECTIONS):
        price = (low + high) / 2
        optimum = best_at_price(options, np.repeat(price, slots))
        value = optimum.value.reshape(episodes, slots).sum(axis=1)
        bound = np.minimum(bound, budget.worth(price) + value)
        too_cheap = optimum.joules.reshape(episodes, slots).sum(axis=1) > budget.joules
        low, high = np.where(too_cheap, price, low), np.where(too_cheap, high, price)
    return bound


def episode_optima(scenario: SharedDenoising, seeds: Sequence[int]) -> EpisodeOptima:
    """The best that could have been done in the episodes of these seeds, all chance foreseen."""
    episodes = scenario.draw(seeds)
    budget = scenario.budget(episodes)
    options = slot_options(scenario, episodes)
    slots = scenario.settings.slots
    solved = [
        _episode(options, np.arange(row * slots, (row + 1) * slots), budget.row(row))
        for row in range(len(seeds))
    ]
    return EpisodeOptima(
        value=np.array([value for value, _, _ in solved]),
        bound=dual_bound(options, budget),
        joules=np.array([joules for _, joules, _ in solved]),
        branch=np.stack([decision.branch for _, _, decision in solved]),
        power=np.stack([decision.power for _, _, decision in solved]),
    )


def _episode(options: SlotOptions, slots: Indices, budget: Budget) -> tuple[float, float, Decision]:
    groups = range(options.reward.shape[1])
    frontiers = [group_frontier(options, slot, group) for slot in slots for group in groups]

    def charge(spent_j: Floats) -> Floats:
        return budget.charge(spent_j[:, None])[:, 0]

    # Overspending is allowed and charged, as in the scenario; that it does not pay is a result.
    limit_j = float(sum(frontier.joules[-1] for frontier in frontiers))
    picks = best_picks(frontiers, limit_j=limit_j, cells=ENERGY_CELLS, charge=charge)
    taken = list(zip(frontiers, picks, strict=True))
    joules = float(sum(frontier.joules[pick] for frontier, pick in taken))
    reward = float(sum(frontier.reward[pick] for frontier, pick in taken))
    choices = np.stack([frontier.choice[pick] for frontier, pick in taken])
    decision = as_decision(options, slots, choices.reshape(len(slots), -1))
    return reward - float(charge(np.array([joules]))[0]), joules, decision
