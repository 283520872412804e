"""What an action means to each user, against what the scenario makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interpn
from scipy.special import expit

from allocator.agents.layout import PLAN_FEATURES, Layout, interpolated, smooth_unit
from allocator.experience import profile
from allocator.scenarios.actions import LEAN, unit
from allocator.scenarios.observation import SNR_UNIT_DB
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience


@given(action=st.floats(-1, 1), lean=st.sampled_from([0.0, LEAN]))
def test_the_smooth_unit_is_the_scenarios(action: float, lean: float) -> None:
    smooth = smooth_unit(torch.tensor(action, dtype=torch.float64), lean)
    assert smooth.item() == pytest.approx(float(unit(np.float64(action), lean)), abs=1e-12)


def test_a_profile_is_met_at_its_entries_and_straight_between() -> None:
    told = torch.tensor([[0.0, 10.0], [1.0, 11.0], [4.0, 4.0]]).expand(5, 3, 2)
    depths, clean = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]), torch.zeros(5)
    assert interpolated(told, depths, clean).tolist() == [0.0, 0.5, 1.0, 2.5, 4.0]
    assert interpolated(told, depths, clean + 0.5).tolist() == [5.0, 5.5, 6.0, 5.0, 4.0]


def test_a_plan_token_says_what_the_scenario_does() -> None:
    """Up to rounding to whole steps and dB: half a step of nine, half a dB of twenty."""
    scenario = SharedDenoising(synthetic_experience(), EASY)
    layout, rng = Layout.of(scenario), np.random.default_rng(0)
    seen = scenario.reset(range(50))
    actions = rng.uniform(-1, 1, (50, scenario.actions.size)).astype(np.float32)
    tokens = layout.plan_tokens(torch.from_numpy(seen), torch.from_numpy(actions)).numpy()
    assert tokens.shape == (50, 3, 3, layout.state_features + PLAN_FEATURES)
    depth, deepest, strength, snr, reward, own_energy = np.moveaxis(tokens[..., -6:], -1, 0)
    decision, episodes, physics = scenario.decision(actions), scenario.episodes, scenario.physics
    assert np.abs(9 * depth - decision.branch).max() <= 1.0
    assert np.abs(9 * deepest - decision.shared_steps[..., None]).max() <= 1.0
    assert np.abs(30 * strength - decision.power).max() <= 0.5 + 1e-4
    true_db = physics.snr_db(episodes.gain_db[:, 0], decision.power)
    assert np.abs(SNR_UNIT_DB * snr + 10 - true_db).max() <= 0.5 + 1e-3
    known = profile(scenario.experience)[episodes.prompt[:, 0]]
    edges_db = scenario.level_edges_db
    soft = expit(edges_db - 10 - 20 * snr[..., None].astype(np.float64)).sum(axis=-1)
    far = np.abs(true_db[..., None] - edges_db).min(axis=-1) > 5  # where soft and hard levels agree
    hard = scenario.error_level(episodes.gain_db[:, 0], decision.power)
    assert np.abs(soft - hard)[far].max() < 0.02
    grid = (np.arange(10), np.arange(known.shape[-1]))
    each = zip(known.reshape(-1, *known.shape[-2:]), depth.ravel(), soft.ravel(), strict=True)
    told = [interpn(grid, panel, (9 * place, level))[0] for panel, place, level in each]
    assert np.allclose((reward.ravel() + 1) / 2, told, atol=1e-4)
    step_j = physics.phone_step_j / physics.phone_step_j.mean()
    assert np.allclose(own_energy, (1 - depth) * step_j[episodes.phone], atol=1e-4)


def test_what_an_action_means_can_be_learnt_from() -> None:
    """A gradient reaches every entry, also at the ends of the action space."""
    scenario = SharedDenoising(synthetic_experience(), EASY)
    layout = Layout.of(scenario)
    seen = torch.from_numpy(scenario.reset(range(8)))
    for end in (-0.9, 0.0, 1.0):
        action = torch.full((8, scenario.actions.size), end, requires_grad=True)
        layout.plan_tokens(seen, action)[..., -6:-3].sum().backward()
        assert action.grad is not None
        power, own = action.grad[:, layout.action.power], action.grad[:, layout.action.follow]
        assert (power > 0).all()
        assert (own > 0).all()
