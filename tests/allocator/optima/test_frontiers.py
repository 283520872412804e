from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allocator.optima.frontiers import added, either, thinned, total

points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6)


def frontier(pairs):
    joules, reward = np.array(pairs, dtype=float).T
    return thinned(joules, reward, np.arange(len(pairs))[:, None])


def best_reward(pairs, limit):
    return max((reward for joules, reward in pairs if joules <= limit), default=None)


def read_off(curve, limit):
    affordable = curve.reward[curve.joules <= limit]
    return affordable.max() if len(affordable) else None


@given(points)
def test_a_frontier_is_the_best_reward_for_every_budget(pairs):
    curve = frontier(pairs)
    assert (np.diff(curve.joules) > 0).all()
    assert (np.diff(curve.reward) > 0).all()
    assert all(read_off(curve, limit) == best_reward(pairs, limit) for limit in range(-1, 11))


@given(points)
def test_every_point_says_which_choice_it_is(pairs):
    curve = frontier(pairs)
    for joules, reward, choice in zip(curve.joules, curve.reward, curve.choice, strict=True):
        assert pairs[choice[0]] == (joules, reward)


@given(points, points, points)
def test_the_sum_of_frontiers_is_the_frontier_of_all_combinations(one, two, three):
    curve = total([frontier(pairs) for pairs in (one, two, three)])
    sums = [tuple(np.sum(combination, axis=0)) for combination in product(one, two, three)]
    assert all(read_off(curve, limit) == best_reward(sums, limit) for limit in range(0, 28))
    for joules, choice in zip(curve.joules, curve.choice, strict=True):
        parties = zip((one, two, three), choice, strict=True)
        assert sum(pairs[index][0] for pairs, index in parties) == joules


@given(points, points)
def test_one_of_two_frontiers_is_the_frontier_of_both_lists(one, two):
    curve = either([frontier(one), frontier(two)])
    assert all(read_off(curve, b) == best_reward(one + two, b) for b in range(10))


def test_what_is_impossible_is_left_out():
    curve = thinned(np.array([np.inf, 1.0]), np.array([9.0, 2.0]), np.array([[0], [1]]))
    assert curve.joules.tolist() == [1.0]
    assert curve.choice.tolist() == [[1]]


def test_fixed_costs_and_limits():
    curve = frontier([(1, 1), (3, 2), (5, 3)])
    assert curve.plus(2.0).joules.tolist() == [3, 5, 7]
    assert curve.within(3.0).reward.tolist() == [1, 2]
    assert added(curve, frontier([(0, 0)])).joules.tolist() == [1, 3, 5]
