"""What was played tells of every user, and of nobody's missing opinion as a zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.scenarios.policies import constant_policy, mean_of_answered, play
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising

SEEDS = (3, 4, 5)


def test_users_are_told_with_whose_tastes_they_have(scenario: SharedDenoising) -> None:
    played = play(scenario, constant_policy(np.zeros(scenario.actions.size)), SEEDS)
    assert played.user_qoe.shape == played.user_persona.shape == (3, scenario.actions.users)
    # every user is judged in every slot here, so both means are over the same rewards
    assert played.user_qoe.mean(axis=1) == pytest.approx(played.qoe)
    assert np.array_equal(played.user_persona, scenario.draw(SEEDS).persona.reshape(3, -1))


def test_the_return_is_qoe_less_the_charge_for_all_that_was_spent(
    scenario: SharedDenoising,
) -> None:
    played = play(scenario, constant_policy(np.full(scenario.actions.size, -0.5)), SEEDS)
    charge = scenario.budget(scenario.draw(SEEDS)).charge(played.energy_j)
    assert (charge > 0).all()
    assert played.total_reward == pytest.approx(scenario.settings.slots * played.qoe - charge)
    assert played.budget_used == pytest.approx(played.energy_j / played.budget_j)


def test_a_slot_nobody_judged_is_no_zero_and_its_overspending_is_charged(scenario) -> None:
    seeds = range(4)
    wasteful = constant_policy(np.full(scenario.actions.size, -0.5))
    judged = play(scenario, wasteful, seeds)
    table = scenario.experience.table.copy()
    away = SharedDenoising(replace(scenario.experience, table=table), EASY)

    def away_at_the_end(observations):
        table[:] = np.nan if away.slot >= 8 else scenario.experience.table
        return wasteful(observations)

    played = play(away, away_at_the_end, seeds)
    assert played.energy_j == pytest.approx(judged.energy_j)
    charge = scenario.budget(scenario.draw(seeds)).charge(played.energy_j)
    assert (charge > 0).all()
    assert played.total_reward == pytest.approx(EASY.slots * played.qoe - charge)
    assert played.qoe == pytest.approx(judged.qoe, rel=0.2)


def test_a_mean_of_answered_leaves_out_what_was_not_judged() -> None:
    rewards = np.array([[0.2, np.nan, np.nan], [0.4, 0.6, np.nan]])
    assert mean_of_answered(rewards) == pytest.approx([0.3, 0.6, np.nan], nan_ok=True)
