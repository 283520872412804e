"""SAC's and PPO's policies for users who are interchangeable: the rivals with stochastic actors.

Everything but the networks is Stable-Baselines3's, PPO's initial weights included. Its critic sees
no action, so it is told none.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnvWrapper
from stable_baselines3.sac.policies import Actor, SACPolicy
from torch import Tensor, nn

from allocator.agents.interchangeable import ActionHead, UserwiseEncoder, ValueHead
from allocator.agents.layout import Layout
from allocator.agents.policies import LayoutPolicy
from allocator.experience import UnjudgedError


class UserwiseSACActor(Actor):
    """SAC's actor: a mean and a spread for every entry of the action."""

    def __init__(self, *args: Any, layout: Layout, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.layout = layout
        width = self.net_arch[-1]
        self.latent_pi = UserwiseEncoder(layout, width, self.activation_fn)
        self.mu, self.log_std = ActionHead(width, layout), ActionHead(width, layout)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class UserwiseSACPolicy(LayoutPolicy, SACPolicy):
    """SAC's policy with weights shared among users."""

    def make_actor(self, features_extractor: nn.Module | None = None) -> nn.Module:
        """Called once."""
        if self.layout is None:
            plain: nn.Module = super().make_actor(features_extractor)
            return plain
        kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        actor: nn.Module = UserwiseSACActor(**kwargs, layout=self.layout).to(self.device)
        return actor


class ActorAndCriticTokens(nn.Module):
    """In the place of Stable-Baselines3's `MlpExtractor`: an encoder for either."""

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.actor = UserwiseEncoder(layout, width, activation)
        self.critic = UserwiseEncoder(layout, width, activation)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """(B, observation) to tokens for the actor and for the critic."""
        return self.forward_actor(observation), self.forward_critic(observation)

    def forward_actor(self, observation: Tensor) -> Tensor:
        """(B, observation) to (B, G, K, W)."""
        return self.actor(observation)  # type: ignore[no-any-return]

    def forward_critic(self, observation: Tensor) -> Tensor:
        """(B, observation) to (B, G, K, W)."""
        return self.critic(observation)  # type: ignore[no-any-return]


class UserwisePPOPolicy(ActorCriticPolicy):
    """PPO's policy with weights shared among users."""

    def __init__(self, *args: Any, layout: Layout, **kwargs: Any) -> None:
        # ActorCriticPolicy builds the networks inside its own constructor.
        self.layout = layout
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        width, activation = self.net_arch[-1], self.activation_fn
        self.mlp_extractor = ActorAndCriticTokens(self.layout, width, activation)
        self.action_net = ActionHead(width, self.layout)
        self.value_net = ValueHead(width, activation)
        if self.ortho_init:
            self._start_near_nothing()
        self.to(self.device)
        learning_rate = lr_schedule(1)
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=learning_rate, **self.optimizer_kwargs
        )

    def _start_near_nothing(self) -> None:
        """Orthogonal weights with the gains of Stable-Baselines3: first actions are small."""
        gains: list[tuple[nn.Module, float]] = [
            (self.mlp_extractor, 2**0.5),
            (self.value_net.whole, 2**0.5),
            (self.value_net.whole[-1], 1.0),
            (self.action_net, 0.01),
        ]
        for module, gain in gains:
            module.apply(partial(self.init_weights, gain=gain))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layout": self.layout}


class EveryRewardAnswered(VecEnvWrapper):
    """For PPO, which learns from whole rollouts and cannot leave a transition out.

    Raises:
        UnjudgedError: from `step`, if a reward is null.
    """

    def reset(self) -> Any:
        """As the environments do."""
        return self.venv.reset()

    def step_wait(self) -> Any:
        """As the environments do."""
        observations, rewards, done, infos = self.venv.step_wait()
        _check_answered(rewards)
        return observations, rewards, done, infos


def _check_answered(rewards: NDArray[np.floating]) -> None:
    unanswered = int(np.isnan(rewards).sum())
    if unanswered:
        raise UnjudgedError(
            f"{unanswered} rewards are null, and PPO cannot leave them out: train gddpg, ddpg, td3 "
            "or sac, or see what the service says (qoe judges --server URL)"
        )
