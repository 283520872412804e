import numpy as np
import pytest
from stable_baselines3 import DDPG

from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.vector import ScenarioVecEnv


@pytest.fixture
def env(experience):
    return ScenarioVecEnv(SharedDenoising(experience, EASY), 4, seed=1)


def finish(env):
    env.reset()
    for slot in range(10):
        answer = env.step(np.zeros((env.num_envs, 21), np.float32))
        assert answer[2].all() == (slot == 9)
    return answer


def test_the_terminal_observation_is_the_old_episodes_and_what_comes_back_the_new(env, experience):
    observations, _, done, infos = finish(env)
    assert done.all()
    layout = env.scenario.observations
    assert np.allclose(observations[:, layout.cell], [1, 2 * 0.7 - 1, 1])
    for info in infos:
        assert info["TimeLimit.truncated"] is False
        assert np.allclose(info["terminal_observation"][layout.cell][2], 0)
        assert info["terminal_observation"][layout.cell][0] < 0.5


def test_the_terminal_observation_is_the_batched_scenarios_own(env, experience):
    scenario = SharedDenoising(experience, EASY)
    scenario.begin(scenario.draw_many(np.random.default_rng(1), 4))
    for _ in range(10):
        expected, _, _ = scenario.step(np.zeros((4, 21)))
    _, _, _, infos = finish(env)
    assert np.array_equal([info["terminal_observation"] for info in infos], expected)


def test_a_seed_fixes_all_episodes_and_reset_goes_on_to_new_ones(env):
    first, second = env.reset(), env.reset()
    assert not np.array_equal(first, second)
    env.seed(1)
    assert np.array_equal(env.reset(), first)
    assert np.array_equal(env.reset(), second)


def test_environments_of_one_batch_differ(env):
    observations = env.reset()
    assert len(np.unique(observations[:, 0])) == 4


def test_nothing_can_be_set_on_some_of_them(env):
    with pytest.raises(AttributeError, match="build a SharedDenoising"):
        env.set_attr("settings", None)


def test_a_learner_of_stable_baselines3_trains_on_it(env):
    model = DDPG("MlpPolicy", env, learning_starts=40, batch_size=32, seed=0, device="cpu")
    model.learn(120)
    assert model.num_timesteps == 120
    stored = model.replay_buffer
    ends = stored.dones[: stored.pos].astype(bool)
    assert ends[9].all()
    assert not ends[:9].any()
    assert (stored.timeouts == 0).all()
    left = env.scenario.observations.cell.start
    assert (stored.next_observations[9, :, left] < 0.5).all()
