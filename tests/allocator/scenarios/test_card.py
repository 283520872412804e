"""The scenario must be worth learning, and its card must say so."""

import numpy as np
import pytest

from allocator.experiments.evaluation import as_compared
from allocator.scenarios.card import scenario_card
from allocator.scenarios.policies import best_constant_action, constant_policy, play


@pytest.fixture(scope="module")
def card(experience):
    return scenario_card(as_compared(experience, "standard"), name="standard", episodes=12)


def test_no_constant_action_comes_near_the_optimum(card):
    progress = {row.name: row.progress for row in card.rows}
    assert progress["random"] == 0.0
    assert 0.0 < progress["best constant"] <= 0.85
    assert progress["best constant"] < progress["equal share"] < progress["greedy"] < 1.0
    assert progress["optimum"] == 1.0


def test_the_rivals_rank_as_they_must_and_nothing_exceeds_the_bound(card):
    means = [row.total_reward.point for row in card.rows]
    assert means == sorted(means)
    assert means[-1] <= card.bound
    assert card.gap < 0.005
    assert all(row.total_reward.low < row.total_reward.high for row in card.rows)


def test_the_search_for_a_constant_action_beats_many_tries_at_random(scenario):
    rng = np.random.default_rng(1)
    found = best_constant_action(scenario, range(16), rng, generations=12, population=24)
    tries = rng.uniform(-1, 1, (300, scenario.actions.size))
    best = max(play(scenario, constant_policy(a), range(16)).total_reward.mean() for a in tries)
    assert play(scenario, constant_policy(found), range(16)).total_reward.mean() > best
