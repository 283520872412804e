"""Charging decisions afterwards equals playing episodes in which they cost that much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.experiments.decision_cost import DECIDER_POWER_W, with_decisions_charged
from allocator.experiments.findings import Outcomes
from allocator.scenarios.budget import Budget
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.policies import constant_policy, play
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

SEEDS = range(6)
DECISION_S = 0.05


class CostlySlots(SharedDenoising):
    """The same cell, whose slots take `extra_j` more of the same budget."""

    def __init__(self, cell: SharedDenoising, extra_j: float) -> None:
        each_j = extra_j / cell.actions.users
        dearer = replace(cell.physics, phone_start_j=cell.physics.phone_start_j + each_j)
        super().__init__(cell.experience, cell.settings, dearer)
        self._cell = cell

    def budget(self, episodes: Episodes) -> Budget:
        return self._cell.budget(episodes)


@pytest.fixture(scope="module")
def cell() -> SharedDenoising:
    return SharedDenoising(synthetic_experience(), EASY)


# Overspending by far, and an action whose spending comes near the budget's bend.
@pytest.mark.parametrize("action", [-0.5, 0.1])
def test_charging_afterwards_is_playing_with_dearer_slots(cell, action) -> None:
    policy = constant_policy(np.full(cell.actions.size, action))
    slots = cell.settings.slots
    free = Outcomes.of([play(cell, policy, SEEDS)], slots)
    costly_cell = CostlySlots(cell, DECISION_S * DECIDER_POWER_W)
    costly = Outcomes.of([play(costly_cell, policy, SEEDS)], slots)
    charged = with_decisions_charged(free, DECISION_S)
    for quantity in ("reward", "qoe", "energy_j", "budget_used"):
        assert getattr(charged, quantity) == pytest.approx(getattr(costly, quantity)), quantity
    assert (charged.reward <= free.reward).all()
    assert charged.latency_s == pytest.approx(free.latency_s + DECISION_S)


def test_overspending_pays_the_price_of_a_joule(cell) -> None:
    free = Outcomes.of(
        [play(cell, constant_policy(np.full(cell.actions.size, -0.5)), SEEDS)], cell.settings.slots
    )
    assert (free.budget_used > 1).all()
    charged = with_decisions_charged(free, 1.0)
    assert free.reward - charged.reward == pytest.approx(
        np.broadcast_to(DECIDER_POWER_W * free.joule_price, free.reward.shape)
    )


def test_decisions_that_take_no_time_cost_nothing(cell) -> None:
    free = Outcomes.of(
        [play(cell, constant_policy(np.zeros(cell.actions.size)), SEEDS)], cell.settings.slots
    )
    charged = with_decisions_charged(free, 0.0)
    assert np.array_equal(charged.reward, free.reward)
    assert np.array_equal(charged.energy_j, free.energy_j)
