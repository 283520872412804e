"""Policies for G-DDPG and its rivals: which actor and which critics stand in TD3's places.

With a `layout`, all of them share weights among interchangeable users; without, they are plain
networks. Stable-Baselines3's own DDPG and TD3 take `MlpActorPolicy` as their policy.
"""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.td3.policies import Actor, TD3Policy
from torch import Tensor, nn

from allocator.agents.diffusion_actor import DiffusionActor
from allocator.agents.interchangeable import Layout, UserwiseActor, UserwiseCritic


class MlpActor(Actor):
    """Stable-Baselines3's own actor, telling its logits too."""

    def __init__(self, *args: Any, layout: Layout | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layout = layout
        if layout is not None:
            logits = UserwiseActor(layout, self.net_arch[-1], self.activation_fn)
            self.mu = nn.Sequential(*logits, nn.Tanh())

    def propose(self, observation: Tensor, *, mean: bool = False) -> tuple[Tensor, Tensor]:
        """Actions (B, A) and the logits (B, A) they are the tanh of; there is no noise."""
        logits = self.mu[:-1](self.extract_features(observation, self.features_extractor))
        return torch.tanh(logits), logits

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class MlpActorPolicy(TD3Policy):
    """TD3's policy, and the MLP twin of G-DDPG: "is diffusion worth it?"."""

    def __init__(self, *args: Any, layout: Layout | None = None, **kwargs: Any) -> None:
        # TD3Policy builds the networks inside its own constructor.
        self.layout = layout
        super().__init__(*args, **kwargs)

    def make_actor(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the actor and once for its target."""
        kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        actor: nn.Module = MlpActor(**kwargs, layout=self.layout).to(self.device)
        return actor

    def make_critic(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once for the critics and once for their targets."""
        critic = super().make_critic(features_extractor)
        if self.layout is not None:
            width = self.critic_kwargs["net_arch"][-1]
            critic.q_networks = [
                UserwiseCritic(self.layout, width, self.activation_fn).to(self.device)
                for _ in range(critic.n_critics)
            ]
            for number, network in enumerate(critic.q_networks):
                setattr(critic, f"qf{number}", network)
        made: nn.Module = critic
        return made

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class DiffusionPolicy(MlpActorPolicy):
    """Twin critics of Stable-Baselines3 beside a `DiffusionActor`."""

    def __init__(self, *args: Any, denoising_steps: int = 5, **kwargs: Any) -> None:
        self.denoising_steps = denoising_steps
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
        actions: Tensor = self.actor._predict(observation, deterministic)
        return actions

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "denoising_steps": self.denoising_steps}
