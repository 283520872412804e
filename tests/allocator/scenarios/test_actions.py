import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from allocator.scenarios.actions import (
    LEAN,
    ActionLayout,
    Decision,
    decide,
    encode,
    inverse_unit,
    unit,
)
from allocator.scenarios.settings import EASY

SETTINGS = EASY
LAYOUT = ActionLayout(SETTINGS.groups, SETTINGS.users_per_group)
actions = arrays(np.float64, (4, LAYOUT.size), elements=st.floats(-1, 1))


@given(actions)
def test_every_action_is_a_feasible_decision(action):
    decision = decide(action, LAYOUT, SETTINGS)
    assert decision.branch.shape == decision.power.shape == (4, 3, 3)
    assert decision.branch.min() >= 0
    assert decision.branch.max() <= SETTINGS.deepest_branch
    assert decision.power.min() >= 0
    assert decision.power.max() <= SETTINGS.strongest_power


@given(actions)
def test_nobody_follows_farther_than_the_group_shares(action):
    share = unit(action[:, LAYOUT.shared_steps], LEAN)
    depth = np.rint(share * SETTINGS.deepest_branch)
    assert (decide(action, LAYOUT, SETTINGS).branch <= depth[:, :, None]).all()


def test_the_ends_of_the_action_space_are_the_ends_of_every_range():
    least = decide(np.full((1, LAYOUT.size), -1.0), LAYOUT, SETTINGS)
    most = decide(np.full((1, LAYOUT.size), 1.0), LAYOUT, SETTINGS)
    assert (least.branch == 0).all()
    assert (least.power == 0).all()
    assert (most.branch == SETTINGS.deepest_branch).all()
    assert (most.power == SETTINGS.strongest_power).all()


@given(
    arrays(np.intp, (2, 3, 3), elements=st.integers(0, SETTINGS.deepest_branch)),
    arrays(np.intp, (2, 3, 3), elements=st.integers(0, SETTINGS.strongest_power)),
)
def test_every_decision_has_an_action(branch, power):
    decision = Decision(branch, power)
    again = decide(encode(decision, LAYOUT, SETTINGS), LAYOUT, SETTINGS)
    assert np.array_equal(again.branch, branch)
    assert np.array_equal(again.power, power)


@given(st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([0.0, LEAN]))
def test_the_map_rises_smoothly_and_is_nowhere_flat(one, other, lean):
    low, high = sorted([one, other])
    rise = float(unit(np.array(high), lean) - unit(np.array(low), lean))
    assert 0.08 * (high - low) - 1e-12 <= rise <= 1.2 * (high - low) + 1e-12


@given(st.floats(0, 1), st.sampled_from([0.0, LEAN]))
def test_the_map_can_be_inverted(share, lean):
    assert np.isclose(unit(inverse_unit(np.array(share), lean), lean), share, atol=1e-9)


def test_the_layout_covers_every_entry_once():
    entries = np.arange(LAYOUT.size)
    parts = [entries[part] for part in (LAYOUT.shared_steps, LAYOUT.follow, LAYOUT.power)]
    assert np.array_equal(np.concatenate(parts), entries)
