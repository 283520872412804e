import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.scenarios.actions import Decision
from allocator.scenarios.budget import BEND, Budget
from allocator.scenarios.settings import SharedDenoisingSettings
from allocator.scenarios.shared_denoising import SharedDenoising

BUDGET = Budget(joules=np.array([100.0]), alone_j=np.array([15.0]), price=np.array([0.2]))
joules = st.floats(0, 400)


def charge(spent_j):
    return float(BUDGET.charge(np.array([spent_j]))[0])


@given(joules)
def test_it_is_never_cheaper_than_the_price_of_every_joule_beyond(spent_j):
    assert charge(spent_j) >= 0.2 * max(spent_j - 100.0, 0.0) - 1e-12


@given(st.floats(0, 100 * (1 - BEND)))
def test_within_the_budget_it_costs_nothing(spent_j):
    assert charge(spent_j) == 0.0


@given(st.floats(100, 400), st.floats(0, 100))
def test_every_joule_beyond_the_budget_costs_the_full_price(spent_j, more_j):
    rise = charge(spent_j + more_j) - charge(spent_j)
    assert rise == pytest.approx(0.2 * more_j, abs=1e-9)


@given(joules, st.floats(0, 1e-3))
def test_it_is_smooth(spent_j, step_j):
    """The slope grows by at most price / (BEND budget) a joule: no jump and no kink."""
    slope = (charge(spent_j + 1e-4) - charge(spent_j)) / 1e-4
    next_slope = (charge(spent_j + step_j + 1e-4) - charge(spent_j + step_j)) / 1e-4
    assert abs(next_slope - slope) <= 0.2 / (BEND * 100) * (step_j + 2e-4) + 1e-8


@given(st.floats(0, 0.2), st.floats(0, 400))
def test_what_the_bound_pays_for_the_budget_is_the_most_there_is(price, spent_j):
    most = float(BUDGET.worth(np.array([price]))[0])
    assert most >= price * spent_j - charge(spent_j) - 1e-9
    spent_j_grid = np.linspace(98, 102, 4001)
    best = (price * spent_j_grid - BUDGET.charge(spent_j_grid[:, None])[:, 0]).max()
    assert most == pytest.approx(best, abs=1e-4)


def random_decision(rng, shape):
    return Decision(rng.integers(0, 10, shape), rng.integers(0, 31, shape))


def test_no_slot_is_worth_what_it_costs_once_the_budget_is_gone(scenario):
    """Whatever is decided: at the price, a slot's joules cost at least the highest reward."""
    scenario.reset(range(200))
    rng = np.random.default_rng(0)
    for _ in range(20):
        decision = random_decision(rng, (200, 3, 3))
        spent_j = scenario.physics.joules(decision, scenario.episodes.phone, 10)
        assert (scenario.allowance.price * spent_j > 1 - 1e-9).all()
    deepest = Decision(np.full((200, 3, 3), 9), np.zeros((200, 3, 3), int))
    spent_j = scenario.physics.joules(deepest, scenario.episodes.phone, 10)
    assert (scenario.allowance.price * spent_j > 1 - 1e-9).all()


def test_the_charge_of_an_episode_depends_on_its_total_alone(scenario):
    """Overspending early or late, slowly or at once: the same total costs the same."""
    alone = Decision(np.zeros((4, 3, 3), int), np.zeros((4, 3, 3), int))
    shared = Decision(np.full((4, 3, 3), 9), np.full((4, 3, 3), 30))
    charges = []
    for order in ([alone] * 9 + [shared], [shared] + [alone] * 9):
        scenario.reset(range(4))
        charges.append(sum(scenario.carry_out(decision)[1].charge for decision in order))
    assert np.allclose(charges[0], charges[1])
    assert np.allclose(charges[0], scenario.allowance.charge(scenario.spent_j))
    assert (charges[0] > 1).all()


def test_the_budget_binds_but_can_be_kept(scenario):
    """Drawing everything alone does not fit; sharing everything leaves something over."""
    budget = scenario.budget(scenario.draw(range(50)))
    share = budget.joules / (scenario.settings.slots * budget.alone_j)
    assert np.allclose(share, scenario.settings.budget_share)
    assert 0.5 <= scenario.settings.budget_share <= 0.75
    everything = Decision(np.full((50, 3, 3), 9), np.zeros((50, 3, 3), int))
    least_j = scenario.physics.joules(everything, scenario.draw(range(50)).phone, 10)
    assert (scenario.settings.slots * least_j < 0.8 * budget.joules).all()


def test_a_budget_that_nothing_fits_is_refused(experience):
    scenario = SharedDenoising(experience, SharedDenoisingSettings(budget_share=0.2))
    with pytest.raises(ValueError, match=r"budget_share 0\.2 is too low"):
        scenario.reset([0])
