"""The rival to beat in speed: a diffusion actor with DDPG, as the family publishes it.

    python benchmarks/textbook_gddpg.py

shows that it learns (a contextual bandit); `benchmarks/agents.py` measures its speed. Written from
the equations, with the sizes of the family's released code [Q-rel]:

    eps_theta   a state encoder of two layers and an embedding of the step's number, both run in
                every denoising step; with the noisy action they enter a trunk of two layers. Mish.
    x0_hat      = clip((x_i - sqrt(1 - abar_i) eps_theta(x_i, i, s)) / sqrt(abar_i), -1, 1)
    x_{i-1}     = posterior mean of x0_hat and x_i + posterior deviation * z;  a = clip(x_0, -1, 1)
    critics     minimise sum_j (Q_j(s, a) - r - gamma min_j Q'_j(s', pi'(s')))^2
    actor       minimise -min_j Q_j(s, pi(s)), back through all steps; AdamW for both

Replay, collecting and critics are Stable-Baselines3's, as they are G-DDPG's. Published critics have
a state encoder of their own and are dearer; published actors add exploration noise inside the
chain, which takes no time and is left out.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import TD3
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.td3.policies import TD3Policy
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from allocator.agents.diffusion_actor import reverse_chain, vp_betas

TIME_FEATURES = 16


class NoisePredictor(nn.Module):
    """eps_theta: the noise in a noisy action, given the step's number and the state."""

    def __init__(self, state: int, actions: int, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.of_state = nn.Sequential(
            nn.Linear(state, width), activation(), nn.Linear(width, width)
        )
        self.of_step = nn.Sequential(
            nn.Linear(TIME_FEATURES, 2 * TIME_FEATURES),
            activation(),
            nn.Linear(2 * TIME_FEATURES, TIME_FEATURES),
        )
        self.trunk = nn.Sequential(
            nn.Linear(width + TIME_FEATURES + actions, width),
            activation(),
            nn.Linear(width, width),
            activation(),
            nn.Linear(width, actions),
        )

    def forward(self, noisy: Tensor, step: Tensor, state: Tensor) -> Tensor:
        """(B, A), (B,) and (B, S) to (B, A)."""
        met = torch.cat([noisy, self.of_step(sinusoids(step)), self.of_state(state)], dim=1)
        noise: Tensor = self.trunk(met)
        return noise


def sinusoids(step: Tensor) -> Tensor:
    """(B,) numbers to (B, TIME_FEATURES) sines and cosines of falling frequency."""
    half = TIME_FEATURES // 2
    frequency = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    angle = step[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class TextbookActor(BasePolicy):
    """The chain: predict the noise, clip the clean action, sample the step before."""

    def __init__(
        self,
        observation_space: spaces.Box,
        action_space: spaces.Box,
        net_arch: list[int],
        features_extractor: nn.Module,
        features_dim: int,
        activation_fn: type[nn.Module],
        normalize_images: bool,
        denoising_steps: int,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            features_extractor=features_extractor,
            normalize_images=normalize_images,
            squash_output=True,
        )
        self.actions, self.steps = action_space.shape[0], denoising_steps
        self.noise_in = NoisePredictor(features_dim, self.actions, net_arch[-1], activation_fn)
        self.signal = torch.cumprod(1 - vp_betas(denoising_steps), dim=0).tolist()
        self.chain = reverse_chain(denoising_steps)

    def forward(self, observation: Tensor, deterministic: bool = False) -> Tensor:
        """(B, S) to (B, A) in [-1, 1]; `deterministic` leaves the noise out."""
        state = self.extract_features(observation, self.features_extractor)
        draw = torch.zeros if deterministic else torch.randn
        noisy = draw(len(state), self.actions)
        for ran, number in enumerate(reversed(range(self.steps))):
            signal = self.signal[number]
            noise = self.noise_in(noisy, torch.full((len(state),), number), state)
            clean = ((noisy - math.sqrt(1 - signal) * noise) / math.sqrt(signal)).clamp(-1, 1)
            mean = self.chain.clean[ran] * clean + self.chain.noisy[ran] * noisy
            noisy = mean + self.chain.noise_std[ran] * draw(len(state), self.actions)
        return noisy.clamp(-1, 1)

    def _predict(self, observation: Tensor, deterministic: bool = False) -> Tensor:
        return self(observation, deterministic)


class TextbookPolicy(TD3Policy):
    """Stable-Baselines3's critics beside the textbook actor."""

    def __init__(self, *args: Any, denoising_steps: int, **kwargs: Any) -> None:
        self.denoising_steps = denoising_steps
        kwargs = {"activation_fn": nn.Mish, "optimizer_class": torch.optim.AdamW, **kwargs}
        super().__init__(*args, **kwargs)

    def make_actor(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the actor and once for its target."""
        kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        actor: nn.Module = TextbookActor(**kwargs, denoising_steps=self.denoising_steps)
        return actor

    def _predict(self, observation: Tensor, deterministic: bool = False) -> Tensor:
        actions: Tensor = self.actor(observation, deterministic)
        return actions


class TextbookGDDPG(TD3):
    """DDPG with a textbook diffusion actor; parameters as Stable-Baselines3's TD3 has them."""

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": TextbookPolicy}

    def __init__(self, policy: str, env: Any, *, denoising_steps: int = 6, **td3: Any) -> None:
        networks = {"denoising_steps": denoising_steps, **td3.pop("policy_kwargs", {})}
        super().__init__(policy, env, policy_kwargs=networks, **td3)

    def train(self, gradient_steps: int, batch_size: int = 512) -> None:
        """Critics, actor and targets, once for each batch out of the replay buffer."""
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size)
            descend(self.critic, self._critic_loss(batch))
            actions = self.actor(batch.observations)
            worse = torch.min(*self.critic(batch.observations, actions))
            descend(self.actor, -worse.mean())
            for network, target in (
                (self.critic, self.critic_target),
                (self.actor, self.actor_target),
            ):
                polyak_update(network.parameters(), target.parameters(), self.tau)

    def _critic_loss(self, batch: Any) -> Tensor:
        with torch.no_grad():
            following = batch.next_observations
            worse = torch.min(*self.critic_target(following, self.actor_target(following)))
            wanted = batch.rewards + (1 - batch.dones) * self.gamma * worse
        first, second = self.critic(batch.observations, batch.actions)
        return mse_loss(first, wanted) + mse_loss(second, wanted)


def descend(network: Any, loss: Tensor) -> None:
    """One step of the network's own optimizer."""
    network.optimizer.zero_grad()
    loss.backward()
    network.optimizer.step()


class Guess(gymnasium.Env[np.ndarray, np.ndarray]):
    """A contextual bandit: r = 1 - mean((a - best(s))^2), best = 0.8 tanh(a fixed map of s)."""

    def __init__(self, size: int = 10) -> None:
        self.observation_space = spaces.Box(-1, 1, (size,), np.float32)
        self.action_space = spaces.Box(-1, 1, (size,), np.float32)
        self.map = np.random.default_rng(0).normal(0, 1 / np.sqrt(size), (size, size))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.context = self.np_random.uniform(-1, 1, len(self.map)).astype(np.float32)
        return self.context, {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        best = 0.8 * np.tanh(self.map @ self.context)
        return self.context, float(1 - np.mean((action - best) ** 2)), True, False, {}


def main() -> None:
    """Play the bandit before and after learning."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = TextbookGDDPG(
        "MlpPolicy",
        Monitor(Guess()),
        learning_starts=500,
        batch_size=128,
        gamma=0.0,
        policy_kwargs={"net_arch": [64, 64]},
        seed=0,
    )
    for steps in (0, 1000, 500):
        model.learn(steps, reset_num_timesteps=False)
        reward, spread = evaluate_policy(model, Monitor(Guess()), n_eval_episodes=200)
        print(f"after {model.num_timesteps:>5} steps: reward {reward:.3f} (deviation {spread:.3f})")


if __name__ == "__main__":
    main()
