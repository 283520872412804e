"""Policies for G-DDPG and its rivals: which actor and which critics stand in TD3's places.

With a `layout`, all of them share weights among interchangeable users; without, they are plain
networks. Stable-Baselines3's own DDPG and TD3 take `MlpActorPolicy` as their policy.
"""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.policies import BasePolicy, ContinuousCritic
from stable_baselines3.td3.policies import Actor, TD3Policy
from torch import Tensor, nn

from allocator.agents.diffusion_actor import DiffusionActor
from allocator.agents.interchangeable import UserwiseActor, UserwiseCritic
from allocator.agents.layout import Layout


class MlpActor(Actor):
    """Stable-Baselines3's own actor, telling its logits too."""

    def __init__(self, *args: Any, layout: Layout | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layout = layout
        if layout is not None:
            logits = UserwiseActor(layout, self.net_arch[-1], self.activation_fn)
            self.mu = nn.Sequential(*logits, nn.Tanh())

    def propose(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Actions (B, A) and the logits (B, A) they are the tanh of; there is no noise."""
        logits = self.mu[:-1](self.extract_features(observation, self.features_extractor))
        return torch.tanh(logits), logits

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class UserwiseCritics(ContinuousCritic):
    """Stable-Baselines3's critics for interchangeable users; tokens are made once for all."""

    def __init__(self, *args: Any, layout: Layout, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layout = layout
        width, activation = kwargs["net_arch"][-1], kwargs["activation_fn"]
        self.q_networks = [UserwiseCritic(layout, width, activation) for _ in range(self.n_critics)]
        for number, network in enumerate(self.q_networks):
            setattr(self, f"qf{number}", network)

    def forward(self, obs: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
        """One (B, 1) a critic."""
        tokens = self._tokens(obs, actions)
        return tuple(network(tokens) for network in self.q_networks)

    def q1_forward(self, obs: Tensor, actions: Tensor) -> Tensor:
        """(B, 1) of the first critic alone."""
        value: Tensor = self.q_networks[0](self._tokens(obs, actions))
        return value

    def _tokens(self, obs: Tensor, actions: Tensor) -> Tensor:
        seen = self.extract_features(obs, self.features_extractor)
        return self.layout.plan_tokens(seen, actions)


class LayoutPolicy(BasePolicy):
    """What Stable-Baselines3's policies with Q critics become where there may be a layout."""

    def __init__(self, *args: Any, layout: Layout | None = None, **kwargs: Any) -> None:
        # The policies build their networks inside their own constructors.
        self.layout = layout
        super().__init__(*args, **kwargs)

    def make_critic(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the critics and once for their targets."""
        if self.layout is None:
            plain: nn.Module = super().make_critic(features_extractor)
            return plain
        kwargs = self._update_features_extractor(self.critic_kwargs, features_extractor)
        critics: nn.Module = UserwiseCritics(**kwargs, layout=self.layout).to(self.device)
        return critics

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class MlpActorPolicy(LayoutPolicy, TD3Policy):
    """TD3's policy, and the MLP twin of G-DDPG: "is diffusion worth it?"."""

    def make_actor(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the actor and once for its target."""
        kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        actor: nn.Module = MlpActor(**kwargs, layout=self.layout).to(self.device)
        return actor


class DiffusionPolicy(MlpActorPolicy):
    """Twin critics of Stable-Baselines3 beside a `DiffusionActor`.

    `candidates`: how many actions a deterministic prediction chooses from, the chain without noise
    and others with noise, always the same; the one that the worse of the critics likes best wins.
    """

    def __init__(
        self, *args: Any, denoising_steps: int = 5, candidates: int = 1, **kwargs: Any
    ) -> None:
        self.denoising_steps, self.candidates = denoising_steps, candidates
        kwargs.setdefault("net_arch", [128, 128])
        # Mish, usual in the family, is the same shape at two thirds of the speed on a CPU.
        kwargs.setdefault("activation_fn", nn.SiLU)
        super().__init__(*args, **kwargs)

    def make_actor(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the actor and once for its target."""
        kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        actor: nn.Module = DiffusionActor(
            **kwargs, denoising_steps=self.denoising_steps, layout=self.layout
        ).to(self.device)
        return actor

    def seed_noise(self, seed: int | None) -> None:
        """Fix what the actor and its target draw; without a seed they differ from run to run."""
        for offset, actor in enumerate((self.actor, self.actor_target)):
            if seed is None:
                actor.generator.seed()
            else:
                actor.generator.manual_seed(seed + offset)

    def _predict(self, observation: Tensor, deterministic: bool = False) -> Tensor:
        if deterministic and self.candidates > 1:
            return self._best_of(observation)
        actions: Tensor = self.actor._predict(observation, deterministic)
        return actions

    def _best_of(self, observation: Tensor) -> Tensor:
        shape = (self.denoising_steps, self.candidates, 1, self.actor.action_dim)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        noise[:, 0] = 0.0
        noise = noise.expand(-1, -1, len(observation), -1).flatten(1, 2)
        repeated = observation.repeat(self.candidates, 1)  # candidate after candidate
        actions = self.actor.propose(repeated, noise)[0]
        worse = torch.cat(self.critic(repeated, actions), dim=1).amin(dim=1)
        best = worse.unflatten(0, (self.candidates, -1)).argmax(dim=0)  # (B,)
        found: Tensor = actions.unflatten(0, (self.candidates, -1))[best, torch.arange(len(best))]
        return found

    def _get_constructor_parameters(self) -> dict[str, Any]:
        told = {"denoising_steps": self.denoising_steps, "candidates": self.candidates}
        return {**super()._get_constructor_parameters(), **told}
