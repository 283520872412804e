from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.experience import RecordedExperience, UnjudgedError
from allocator.optima.options import SlotOptions, slot_options
from allocator.optima.shared_denoising import (
    as_decision,
    best_at_price,
    best_within,
    episode_optima,
    group_frontier,
)
from allocator.scenarios.actions import Decision
from allocator.scenarios.policies import (
    best_constant_action,
    carry_out,
    constant_policy,
    equal_share_plan,
    greedy_plan,
    play,
    random_policy,
)
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising

SEEDS = range(500, 508)
GROUPS, USERS, STEPS, LEVELS = 2, 2, 3, 2


def random_options(seed, slots=1):
    """Small instances with rewards of chance: neither concave nor monotone in anything."""
    rng = np.random.default_rng(seed)
    shape = (slots, GROUPS, USERS, STEPS, LEVELS)
    joules = rng.uniform(0.5, 6, shape)
    joules[rng.random(shape) < 0.2] = np.inf
    joules[:, :, :, 0, 0] = 6.0
    joules[:, :, :, 0, 1:] = np.inf
    return SlotOptions(
        reward=rng.uniform(0, 1, shape) / (GROUPS * USERS),
        joules=joules,
        power=rng.integers(0, 9, (slots, GROUPS, USERS, LEVELS)),
        server_step_j=float(rng.uniform(0, 3)),
    )


def everything(options, slot=0):
    """Reward and joules of every combination of a slot, by brute force."""
    choices = list(product(range(STEPS), range(LEVELS)))
    for combination in product(choices, repeat=GROUPS * USERS):
        branch, level = np.array(combination).reshape(GROUPS, USERS, 2).transpose(2, 0, 1)
        at = (slot, *np.ix_(range(GROUPS), range(USERS)), branch, level)
        joules = options.joules[at].sum() + options.server_step_j * branch.max(axis=1).sum()
        if np.isfinite(joules):
            yield options.reward[at].sum(), joules


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(0, 0.3))
def test_the_optimum_at_a_price_is_the_best_of_all_combinations(seed, price):
    options = random_options(seed)
    optimum = best_at_price(options, np.array([price]))
    best = max(reward - price * joules for reward, joules in everything(options))
    assert optimum.value[0] == pytest.approx(best)
    assert optimum.reward[0] - price * optimum.joules[0] == pytest.approx(best)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(10, 40))
def test_the_optimum_within_a_limit_is_the_best_of_all_that_fit(seed, limit_j):
    options = random_options(seed)
    fitting = [reward for reward, joules in everything(options) if joules <= limit_j]
    optimum = best_within(options, 0, limit_j)
    if fitting:
        assert optimum.reward[0] == pytest.approx(max(fitting))
        assert optimum.joules[0] <= limit_j
    else:
        cheapest = min(joules for _, joules in everything(options))
        assert optimum.joules[0] == pytest.approx(cheapest)


def test_a_frontier_point_names_the_decision_that_reaches_it():
    options = random_options(3)
    optimum = best_within(options, 0, 25.0)
    decision = as_decision(options, np.array([0]), optimum.choice)
    branch, level = np.divmod(optimum.choice.reshape(GROUPS, USERS), LEVELS)
    assert np.array_equal(decision.branch[0], branch)
    at = (0, *np.ix_(range(GROUPS), range(USERS)), branch, level)
    joules = options.joules[at].sum() + options.server_step_j * branch.max(axis=1).sum()
    assert optimum.joules[0] == pytest.approx(joules)
    assert len(group_frontier(options, 0, 0)) >= 1


@pytest.fixture(scope="module")
def solved(experience):
    scenario = SharedDenoising(experience, EASY)
    return scenario, episode_optima(scenario, SEEDS)


def test_an_episode_is_solved_exactly_when_it_is_small_enough_to_try_everything(experience):
    """Two slots, one group of two users, rewards of the table, every power and branch tried."""
    from allocator.scenarios.settings import SharedDenoisingSettings

    small = SharedDenoisingSettings(
        groups=1,
        users_per_group=2,
        slots=2,
        budget_share=0.7,
        weakest_dbm=15,
        strongest_dbm=17,
    )
    scenario = SharedDenoising(experience, small)
    optimum = episode_optima(scenario, [0, 1, 2])
    users = np.array(list(product(range(10), range(3))))
    pairs = np.array(list(product(range(len(users)), repeat=2)))
    branch, power = users[pairs].transpose(2, 0, 1)  # (900, users)
    for row, seed in enumerate([0, 1, 2]):
        scenario.reset([seed] * len(pairs))
        slots = []
        for _ in range(2):
            _, outcome, _ = scenario.carry_out(Decision(branch[:, None], power[:, None]))
            slots.append((outcome.qoe, outcome.energy_j))
        qoe = slots[0][0][:, None] + slots[1][0][None]
        spent_j = slots[0][1][:, None] + slots[1][1][None]
        budget = scenario.allowance.row(0)
        best = (qoe - budget.charge(spent_j.reshape(-1, 1)).reshape(qoe.shape)).max()
        assert optimum.value[row] <= best + 1e-9
        assert optimum.value[row] == pytest.approx(best, rel=2e-3)
        assert best <= optimum.bound[row] + 1e-9


def test_the_plan_gives_in_the_scenario_exactly_what_it_promises(solved):
    scenario, optimum = solved
    played = carry_out(scenario, optimum.decision, SEEDS)
    assert np.allclose(played.total_reward, optimum.value)
    assert np.allclose(played.energy_j, optimum.joules)


def test_the_gap_to_the_bound_is_small_and_on_the_right_side(solved):
    _, optimum = solved
    assert (optimum.gap >= -1e-9).all()
    assert (optimum.gap < 0.005).all()


def test_cheating_never_pays_so_the_optimum_keeps_the_budget(solved):
    scenario, optimum = solved
    budget = scenario.budget(scenario.draw(SEEDS))
    assert (optimum.joules <= budget.joules).all()
    assert (optimum.joules > 0.95 * budget.joules).all()


def test_no_policy_beats_the_optimum(solved):
    scenario, optimum = solved
    rng = np.random.default_rng(0)
    constant = best_constant_action(scenario, SEEDS, rng, generations=6, population=16)
    overspending = constant_policy(np.concatenate([-np.ones(12), np.ones(9)]))
    stingy = constant_policy(np.ones(21))
    policies = [random_policy(scenario, rng), constant_policy(constant), overspending, stingy]
    for policy in policies:
        assert (play(scenario, policy, SEEDS).total_reward < optimum.value).all()
    greedy = carry_out(scenario, greedy_plan(scenario, SEEDS), SEEDS)
    equal = carry_out(scenario, equal_share_plan(scenario, SEEDS), SEEDS)
    assert equal.total_reward.mean() < greedy.total_reward.mean()
    assert (equal.budget_used <= 1 + 1e-9).all()
    assert (greedy.total_reward <= optimum.bound).all()
    assert greedy.total_reward.mean() < optimum.value.mean()


def test_every_reachable_level_is_reached_with_the_least_power(experience):
    scenario = SharedDenoising(experience, EASY)
    episodes = scenario.draw([1])
    options = slot_options(scenario, episodes)
    levels = scenario.error_level(episodes.gain_db[..., None], np.arange(31)).reshape(10, 3, 3, 31)
    for level in range(4):
        reachable = np.isfinite(options.joules[..., 1, level])
        assert np.array_equal(reachable, (levels == level).any(axis=-1))
        least = options.power[..., level][reachable]
        reached = levels[reachable]
        assert (np.take_along_axis(reached, least[:, None], axis=-1) == level).all()
        weaker = np.maximum(least - 1, 0)[:, None]
        assert ((np.take_along_axis(reached, weaker, -1)[:, 0] != level) | (least == 0)).all()


def test_what_nobody_judged_is_no_option(experience):
    table = experience.table.copy()
    table[:, :, 4] = np.nan
    broken = RecordedExperience(experience.catalogue, experience.personas, experience.traits, table)
    scenario = SharedDenoising(broken, EASY)
    options = slot_options(scenario, scenario.draw([1]))
    assert np.isinf(options.joules[..., 4, :]).all()
    assert not (episode_optima(scenario, [1]).branch == 4).any()
    table[:] = np.nan
    with pytest.raises(UnjudgedError, match="no judged option"):
        slot_options(scenario, scenario.draw([1]))
