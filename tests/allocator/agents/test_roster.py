"""Every learner of the roster learns on the scenario, under the same conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from allocator.agents.layout import Layout
from allocator.agents.roster import LEARNERS, load_learner, make_learner
from allocator.agents.settings import LearnerSettings
from allocator.experience import UnjudgedError
from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience
from allocator.scenarios.vector import ScenarioVecEnv

torch.set_num_threads(1)

SHORT = LearnerSettings(width=16, batch_size=32, warm_up=40, updates_per_step=1)
SHORT_ROLLOUTS = replace(SHORT, own={"n_steps": 8})


def made(name: str):
    scenario = SharedDenoising(synthetic_experience(), EASY)
    env = ScenarioVecEnv(scenario, 4, seed=1)
    settings = SHORT_ROLLOUTS if name == "ppo" else SHORT
    return make_learner(name, env, Layout.of(scenario), seed=1, settings=settings)


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns_saves_and_predicts_the_same_again(name, tmp_path) -> None:
    learner = made(name)
    seen = learner.get_env().reset()
    before = learner.predict(seen, deterministic=True)[0]
    learner.learn(160)
    after = learner.predict(seen, deterministic=True)[0]
    assert after.shape == (4, EASY.groups * (1 + 2 * EASY.users_per_group))
    assert not np.allclose(before, after)
    learner.save(tmp_path / name)
    again = load_learner(name, tmp_path / name)
    assert np.allclose(again.predict(seen, deterministic=True)[0], after, atol=1e-6)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_seed_fixes_what_is_learnt(name) -> None:
    seen = made(name).get_env().reset()
    first, second = (made(name).learn(80).predict(seen, deterministic=True)[0] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", LEARNERS)
def test_users_are_interchangeable_to_its_actor(name) -> None:
    """Two users of a group who trade places trade their actions."""
    learner = made(name)
    layout = Layout.of(SharedDenoising(synthetic_experience(), EASY))
    seen = learner.get_env().reset()
    traded = seen.copy()
    users = traded[:, layout.observation.users].reshape(4, *layout.observation.user_shape)
    users[:, 0, [0, 1]] = users[:, 0, [1, 0]]
    actions, other = (learner.predict(each, deterministic=True)[0] for each in (seen, traded))
    for part in (layout.action.follow, layout.action.power):
        ours, theirs = (each[:, part].reshape(4, *layout.grid) for each in (actions, other))
        assert np.allclose(ours[:, 0, [1, 0, 2]], theirs[:, 0], atol=1e-5)
        assert not np.allclose(ours[:, 0], theirs[:, 0], atol=1e-5)


def test_ppo_begins_with_small_actions_as_stable_baselines_has_it() -> None:
    learner = made("ppo")
    seen = learner.get_env().reset()
    assert np.abs(learner.predict(seen, deterministic=True)[0]).max() < 0.1
    for network in (learner.policy.mlp_extractor.actor[1].own, learner.policy.action_net.user):
        rows = network.weight.detach()
        shorter = rows if rows.shape[0] <= rows.shape[1] else rows.T
        gram = shorter @ shorter.T
        assert torch.allclose(gram, gram[0, 0] * torch.eye(len(gram)), atol=1e-5)


def test_ppo_says_that_it_cannot_leave_out_a_null_reward() -> None:
    learner = made("ppo")
    learner.get_env().reset()  # what the catalogue is worth was still judged
    learner.get_env().venv.scenario.experience.table[:] = np.nan
    with pytest.raises(UnjudgedError, match="PPO cannot leave them out"):
        learner.learn(40)


def test_nobody_has_another_name() -> None:
    with pytest.raises(
        ValueError, match="no learner is called 'dqn'; there are gddpg, gddpg-mlp, ddpg"
    ):
        made("dqn")
