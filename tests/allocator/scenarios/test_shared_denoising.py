import warnings
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

import allocator  # noqa: F401  registers the scenario
from allocator.experience import RecordedExperience
from allocator.scenarios.actions import Decision
from allocator.scenarios.data import SHARED_DENOISING, shipped_experience
from allocator.scenarios.observation import CELL_FEATURES, GROUP_FEATURES
from allocator.scenarios.settings import EASY, SharedDenoisingSettings
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.shared_denoising_env import SharedDenoisingEnv


def play(scenario, seeds, action_seed=0):
    rng = np.random.default_rng(action_seed)
    observations, outcomes = [scenario.reset(seeds)], []
    done = np.zeros(1, bool)
    while not done.all():
        actions = rng.uniform(-1, 1, (len(seeds), scenario.actions.size))
        observation, outcome, done = scenario.step(actions)
        observations.append(observation)
        outcomes.append(outcome)
    return np.stack(observations), outcomes


@pytest.mark.parametrize("member", ["", "Easy", "Hard"])
def test_it_passes_both_environment_checks(experience, member):
    env = gymnasium.make(f"allocator/SharedDenoising{member}-v0", experience=experience)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
        check_env_for_sb3(env.unwrapped)


def test_the_default_environment_takes_the_shipped_table():
    folder = shipped_experience.__globals__["files"]("allocator.scenarios.data")
    if (folder / SHARED_DENOISING).is_file():
        check_env(gymnasium.make("allocator/SharedDenoising-v0").unwrapped)
    else:
        with pytest.raises(FileNotFoundError, match=r"python -m allocator\.scenarios\.record"):
            gymnasium.make("allocator/SharedDenoising-v0")


def test_the_gymnasium_environment_is_the_batched_one(experience):
    env = SharedDenoisingEnv(experience)
    observation, _ = env.reset(seed=4)
    assert np.array_equal(observation, env.reset(seed=4)[0])
    assert not np.array_equal(observation, env.reset(seed=5)[0])
    rewards = []
    for slot in range(10):
        _, reward, terminated, truncated, info = env.step(np.zeros(35, np.float32))
        rewards.append(reward)
        assert (terminated, truncated) == (slot == 9, False)
        assert reward == pytest.approx(info["qoe"] - info["charge"])
    with pytest.raises(RuntimeError, match="reset"):
        env.step(np.zeros(35, np.float32))


def test_an_episode_depends_on_its_seed_and_not_on_its_batch(experience):
    small, large = SharedDenoising(experience, EASY), SharedDenoising(experience, EASY)
    small.reset([11])
    large.reset([3, 11, 8])
    action = np.random.default_rng(0).uniform(-1, 1, (10, 21))
    for slot in range(10):
        one, alone, _ = small.step(action[slot : slot + 1])
        three, together, _ = large.step(np.tile(action[slot], (3, 1)))
        assert np.array_equal(one[0], three[1])
        assert alone.reward[0] == together.reward[1]


def test_observations_stay_in_their_space_and_about_unit_scale(scenario):
    observations, _ = play(scenario, range(64))
    assert observations.dtype == np.float32
    assert all(scenario.observation_space.contains(row) for row in np.concatenate(observations))
    assert 0.2 < observations.std() < 1.0


def test_the_layout_tells_what_every_entry_is(scenario):
    layout = scenario.observations
    observation = scenario.reset(range(5))
    users = observation[:, layout.users].reshape(5, *layout.user_shape)
    groups = observation[:, layout.by_group].reshape(5, *layout.group_shape)
    cell = observation[:, layout.cell]
    episodes, experience = scenario.episodes, scenario.experience
    similarity = experience.catalogue.similarity[episodes.prompt[:, 0]]
    assert np.allclose(users[..., layout.user_features.index("similarity")], 2 * similarity - 1)
    openness = experience.traits[episodes.persona, 0] / 2
    assert np.allclose(users[..., layout.user_features.index("openness")], openness)
    least = groups[..., GROUP_FEATURES.index("least_similarity")]
    assert np.allclose(least, 2 * similarity.min(axis=-1) - 1)
    assert np.allclose(cell[:, CELL_FEATURES.index("budget_left")], 1)
    assert np.allclose(cell[:, CELL_FEATURES.index("slots_left")], 1)


def test_the_budget_that_is_seen_is_the_budget_that_is_left(scenario):
    observations, outcomes = play(scenario, range(8))
    spent_j = np.cumsum([outcome.energy_j for outcome in outcomes], axis=0)
    left = 1 - spent_j / scenario.allowance.joules
    assert np.allclose(observations[1:, :, scenario.observations.cell][..., 0], left, atol=1e-6)


def test_sharing_under_the_own_prompt_costs_the_user_nothing(scenario):
    """The synthetic table says so of drawing, and the scenario must not add anything to it."""
    scenario.reset(range(50))
    shape = (50, 3, 3)
    strongest = np.full(shape, scenario.settings.strongest_power)
    _, together, _ = scenario.carry_out(Decision(np.full(shape, 9), strongest))
    scenario.reset(range(50))
    _, apart, _ = scenario.carry_out(Decision(np.zeros(shape, int), strongest))
    public = scenario.experience.catalogue.public_of[scenario.episodes.prompt[:, 0]]
    own = (public == scenario.episodes.prompt[:, 0]) & (together.error_level == 0)
    assert own.sum() > 20
    assert np.allclose(together.rewards[own], apart.rewards[own])
    others = (public != scenario.episodes.prompt[:, 0]) & (together.error_level == 0)
    assert (together.rewards[others] < apart.rewards[others]).mean() > 0.95


def with_failures(experience, failing):
    return RecordedExperience(
        experience.catalogue,
        experience.personas,
        experience.traits,
        np.where(failing, np.nan, experience.table),
    )


def test_a_failed_judgment_is_left_out_of_the_mean(experience):
    failing = np.zeros_like(experience.table, dtype=bool)
    failing[..., 0] = True
    scenario = SharedDenoising(with_failures(experience, failing), EASY)
    _, outcomes = play(scenario, range(30))
    masked = scenario.episodes.persona == 0
    assert masked.any()
    for outcome in outcomes:
        assert np.array_equal(np.isnan(outcome.rewards), masked)
        assert np.array_equal(outcome.judged, 9 - masked.sum(axis=(1, 2)))
        assert np.allclose(outcome.qoe, np.nanmean(outcome.rewards.reshape(30, 9), axis=1))


def test_a_slot_nobody_could_judge_has_no_reward_and_says_so(experience):
    table = experience.table.copy()
    scenario = SharedDenoising(replace(experience, table=table), EASY)
    observation = scenario.reset(range(4))
    table[:] = np.nan  # from now on the service is away
    middle = Decision(np.full((4, 3, 3), 5), np.full((4, 3, 3), 10))
    observation, outcome, _ = scenario.carry_out(middle)
    assert np.isnan(outcome.reward).all()
    assert (outcome.judged == 0).all()
    assert outcome.info(0)["judged"] == 0
    assert np.isfinite(observation).all()
    assert (outcome.energy_j > 0).all()


def test_users_may_be_drawn_from_those_of_the_most_extreme_traits(experience):
    scenario = SharedDenoising(experience, replace(EASY, extreme_share=0.5))
    far = np.linalg.norm(experience.traits, axis=1)
    met = np.unique(scenario.draw_many(np.random.default_rng(0), 200).persona)
    assert len(met) == len(far) // 2
    assert far[met].min() >= np.median(far)


def test_other_sizes_are_other_spaces_of_the_same_kind(experience):
    settings = replace(EASY, groups=2, users_per_group=4, slots=3)
    scenario = SharedDenoising(experience, settings)
    observations, outcomes = play(scenario, range(7))
    assert observations.shape == (4, 7, 2 * 4 * 48 + 2 * 3 + 3)
    assert scenario.actions.size == 2 + 2 * 8
    assert len(outcomes) == 3
    assert outcomes[0].rewards.shape == (7, 2, 4)


def test_settings_that_contradict_the_catalogue_are_refused(experience):
    with pytest.raises(ValueError, match="10 steps, the settings say 20"):
        SharedDenoising(experience, SharedDenoisingSettings(total_steps=20))
