from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.optima.frontiers import thinned
from allocator.optima.knapsack import best_picks

points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5)


def frontier(pairs):
    joules, reward = np.array(pairs, dtype=float).T
    return thinned(joules, reward, np.arange(len(pairs))[:, None])


def nothing(spent_j):
    return np.zeros_like(spent_j)


@given(st.lists(points, min_size=1, max_size=4), st.integers(1, 30))
def test_the_picks_are_the_best_of_all_combinations_that_fit(items, limit):
    frontiers = [frontier(pairs) for pairs in items]
    fitting = [
        sum(reward for _, reward in combination)
        for combination in product(*items)
        if sum(joules for joules, _ in combination) <= limit
    ]
    if not fitting:
        with pytest.raises(ValueError, match="raise the budget"):
            best_picks(frontiers, limit_j=limit, cells=limit, charge=nothing)
        return
    picks = best_picks(frontiers, limit_j=limit, cells=limit, charge=nothing)
    taken = list(zip(frontiers, picks, strict=True))
    assert sum(curve.reward[pick] for curve, pick in taken) == max(fitting)
    assert sum(curve.joules[pick] for curve, pick in taken) <= limit


@given(st.lists(points, min_size=1, max_size=3), st.floats(0, 3))
def test_a_charge_on_what_is_spent_is_weighed_against_the_rewards(items, price):
    frontiers = [frontier(pairs) for pairs in items]
    picks = best_picks(frontiers, limit_j=30, cells=30, charge=lambda spent_j: price * spent_j)
    taken = list(zip(frontiers, picks, strict=True))
    value = sum(curve.reward[pick] - price * curve.joules[pick] for curve, pick in taken)
    best = max(sum(r - price * j for j, r in combination) for combination in product(*items))
    assert value == pytest.approx(best)


def test_rounding_never_spends_more_than_the_limit():
    rng = np.random.default_rng(0)
    frontiers = [
        thinned(rng.uniform(1, 5, 8), rng.uniform(0, 1, 8), np.arange(8)[:, None])
        for _ in range(12)
    ]
    picks = best_picks(frontiers, limit_j=30.0, cells=100, charge=nothing)
    spent = sum(curve.joules[pick] for curve, pick in zip(frontiers, picks, strict=True))
    assert spent <= 30.0
