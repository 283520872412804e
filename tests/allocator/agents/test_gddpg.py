"""G-DDPG learns what can be learned, repeats itself, and is TD3 where it says it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import DummyVecEnv

from allocator.agents.gddpg import GDDPG

torch.set_num_threads(1)

Reward = Callable[[np.ndarray, np.ndarray], float]


class Bandit(gymnasium.Env[np.ndarray, np.ndarray]):
    """One step: a random observation in [-1, 1]^d, an action in [-1, 1]^d, a reward of both."""

    def __init__(self, reward: Reward, dimensions: int = 2) -> None:
        self.reward = reward
        self.observation_space = spaces.Box(-1, 1, (dimensions,), np.float32)
        self.action_space = spaces.Box(-1, 1, (dimensions,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1, 1, self.observation_space.shape).astype(np.float32)
        return self.state, {}

    def step(self, action):
        return self.state, self.reward(self.state, action), True, False, {}


def near(target: float) -> Reward:
    """1 at the target, falling with the squared distance, whatever the observation."""
    return lambda _, action: 1 - float(np.mean((action - target) ** 2))


def identity(state: np.ndarray, action: np.ndarray) -> float:
    """1 when the action repeats the observation: it must be solved per observation."""
    return 1 - float(np.mean((action - state) ** 2))


def mean_reward(model, reward: Reward, states: int = 256) -> float:
    """What the deterministic policy earns on states no training seed drew."""
    observations = (
        np.random.default_rng(987)
        .uniform(-1, 1, (states, *model.observation_space.shape))
        .astype(np.float32)
    )
    actions, _ = model.predict(observations, deterministic=True)
    return float(np.mean([reward(s, a) for s, a in zip(observations, actions, strict=True)]))


def small(reward: Reward, seed: int = 0, **changes) -> GDDPG:
    options = {
        "learning_rate": 1e-3,
        "learning_starts": 100,
        "batch_size": 64,
        "buffer_size": 5000,
        "gamma": 0.0,
        "denoising_steps": 4,
        "action_noise": NormalActionNoise(np.zeros(2), np.full(2, 0.2)),
        "policy_kwargs": {"net_arch": [32, 32]},
    }
    return GDDPG("MlpPolicy", Bandit(reward), seed=seed, **(options | changes))


@pytest.mark.parametrize("target", [0.3, 1.0], ids=["interior", "at the bound"])
def test_solves_a_bandit(target: float) -> None:
    model = small(near(target)).learn(700)
    assert mean_reward(model, near(target)) > 0.99  # random earns less than 0.6


def test_learns_to_repeat_its_observation() -> None:
    model = small(identity).learn(1500)
    assert mean_reward(model, identity) > 0.98  # the best constant action earns 0.67


def test_an_action_pushed_to_a_bound_comes_back_when_the_reward_changes() -> None:
    model = small(near(1.0)).learn(600)
    observation = np.zeros((1, 2), np.float32)
    assert model.predict(observation, deterministic=True)[0].min() > 0.9
    model.env.envs[0].unwrapped.reward = near(-0.5)
    model.replay_buffer.reset()
    model.learn(900, reset_num_timesteps=False)
    assert model.predict(observation, deterministic=True)[0].max() < 0


def test_same_seed_gives_the_same_actions_and_another_seed_does_not() -> None:
    observations = np.random.default_rng(0).uniform(-1, 1, (8, 2)).astype(np.float32)
    first, again, other = (
        small(identity, seed=seed).learn(150).predict(observations)[0] for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_of_many_candidates_the_one_that_the_worse_critic_likes_best_is_taken(
    tmp_path: Path,
) -> None:
    """Critics that know where the target is, the second of whom likes everything less."""
    target = 0.4

    def liking(bias: float):
        return lambda seen: bias - (seen[:, 2:] - target).square().sum(dim=1, keepdim=True)

    plain, choosy = small(identity), small(identity, candidates=64)
    choosy.policy.load_state_dict(plain.policy.state_dict())
    choosy.critic.q_networks = [liking(0.0), liking(-1.0)]
    seen = np.random.default_rng(0).uniform(-1, 1, (20, 2)).astype(np.float32)
    mean, chosen = (model.predict(seen, deterministic=True)[0] for model in (plain, choosy))
    off, nearer = (np.square(actions - target).sum(axis=1) for actions in (mean, chosen))
    assert (nearer < off).all()
    assert np.array_equal(chosen, choosy.predict(seen, deterministic=True)[0])
    assert np.allclose(chosen[3], choosy.predict(seen[3], deterministic=True)[0], atol=1e-6)
    small(identity, candidates=8).save(tmp_path / "model")
    assert GDDPG.load(tmp_path / "model").policy.candidates == 8


def test_save_and_load_predict_the_same_and_learn_on(tmp_path: Path) -> None:
    model = small(identity).learn(150)
    model.save(tmp_path / "gddpg")
    loaded = GDDPG.load(tmp_path / "gddpg", env=Bandit(identity))
    observations = np.random.default_rng(0).uniform(-1, 1, (8, 2)).astype(np.float32)
    assert np.array_equal(
        model.predict(observations, deterministic=True)[0],
        loaded.predict(observations, deterministic=True)[0],
    )
    assert loaded.denoising_steps == 4
    loaded.learn(150, reset_num_timesteps=False)


def test_without_diffusion_and_its_guards_it_is_td3_bit_for_bit() -> None:
    common = {"learning_starts": 50, "batch_size": 16, "buffer_size": 500, "seed": 5}
    delay = {"policy_delay": 2, "target_policy_noise": 0.2, "target_noise_clip": 0.5}
    common |= {"learning_rate": 1e-3, "policy_kwargs": {"net_arch": [16, 16]}} | delay
    ours = GDDPG(
        "MlpActorPolicy",
        Bandit(identity),
        max_grad_norm=float("inf"),
        normalise_q=False,
        bound_penalty=0.0,
        **common,
    ).learn(200)
    theirs = TD3("MlpPolicy", Bandit(identity), **common).learn(200)
    for mine, reference in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(mine, reference)


def test_failed_judgment_is_never_learned_from() -> None:
    def sometimes_null(state: np.ndarray, action: np.ndarray) -> float:
        return float("nan") if state[0] > 0 else identity(state, action)

    environments = DummyVecEnv([lambda: Bandit(sometimes_null)] * 4)
    environments.seed(0)
    model = GDDPG(
        "MlpPolicy", environments, learning_starts=40, batch_size=16, buffer_size=400, seed=0
    ).learn(400)
    buffer = model.replay_buffer
    assert 100 < buffer.masked < 300
    assert buffer.size() == 400 - buffer.masked
    assert (buffer.observations[: buffer.size(), 0, 0] <= 0).all()
    assert all(weight.isfinite().all() for weight in model.policy.parameters())


def test_a_service_that_never_answers_teaches_nothing() -> None:
    model = small(lambda *_: float("nan"), learning_starts=10)
    before = [weight.clone() for weight in model.policy.parameters()]
    model.learn(50)
    assert model.replay_buffer.masked == 50
    assert all(map(torch.equal, before, model.policy.parameters()))
