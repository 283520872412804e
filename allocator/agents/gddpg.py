"""G-DDPG: deep deterministic policy gradient whose actor is a diffusion model.

For a transition (s, a, r, s') out of the replay buffer, with twin critics Q1, Q2, actor pi, their
slowly moving targets Q', pi', and A the actor's noise:

    critic   minimise  sum_j ( Qj(s, a) - r - gamma * min_j Q'j(s', pi'(s', A)) )^2       [Q-rel]
    actor    minimise  - Q1(s, pi(s, A)) / mean|Q1| [Q-rel]  +  w * mean( relu(|logit| - 2)^2 )  [R]
    targets  theta' <- tau * theta + (1 - tau) * theta'                                   [Q]

pi(s, A) is the reverse chain of `diffusion_actor.py`, and the actor's gradient runs back through
all of its denoising steps. Everything else (collecting, replay, targets, saving, callbacks, logs)
is Stable-Baselines3's TD3, and with `policy="MlpActorPolicy"` and numbers 5 and 6 below
switched off the very same weights as TD3's come out: a test holds the two together.

How this differs from the code published for the family (the paper's own learner is unpublished):
 1. The chain predicts the clean action through tanh; published code predicts the noise and clips,
    which froze at the bounds of the action space in a trial.
 2. The state enters the denoiser once, not once per denoising step.
 3. Exploration noise is added to the action taken, never to targets or to the actor's loss.
 4. Critics see actions as the floats they are (published code truncated them to integers until
    March 2024).
 5. The actor's loss is divided by mean|Q1| (as in Diffusion-QL) and both gradients are clipped.
 6. Logits beyond +-2 are drawn back: tanh stays out of its flat tail, so an action that sits at a
    bound can still leave it. tanh(2) = 0.964, and a steady pull of Q reaches further.
 7. A transition whose reward is null never enters the replay buffer.
 8. A time limit is not an end: the target bootstraps through truncation.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from stable_baselines3 import TD3
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.td3.policies import TD3Policy
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from allocator.agents.policies import DiffusionPolicy, MlpActorPolicy
from allocator.agents.replay import AnsweredReplayBuffer

FREE_LOGIT = 2.0
"""Logits up to here cost nothing; tanh's slope is still 0.07."""


class GDDPG(TD3):
    """G-DDPG with the conventions of Stable-Baselines3 (`learn`, `predict`, `save`, `load`).

    Beyond TD3's parameters:
    `denoising_steps`: length of the reverse chain. More is slower in proportion; 4 to 6 is usual.
    `max_grad_norm`: where both gradients are clipped. Lower is steadier and slower; 1 to 10 is
    usual, infinity never clips.
    `normalise_q`: divide the actor's loss by mean|Q1|, so that the other weights need no tuning.
    `bound_penalty`: the weight w of logits beyond +-2. Higher keeps actions further from their
    bounds; 0.01 to 1 is usual, 0 lets them stick.
    `candidates`: how many actions a deterministic prediction lets the critics choose from; 1 asks
    no critic and is the fastest.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpPolicy": DiffusionPolicy,
        "MlpActorPolicy": MlpActorPolicy,
    }

    def __init__(
        self,
        policy: str | type[TD3Policy],
        env: Any,
        learning_rate: float = 3e-4,
        *,
        denoising_steps: int = 5,
        max_grad_norm: float = 5.0,
        normalise_q: bool = True,
        bound_penalty: float = 0.1,
        candidates: int = 1,
        policy_delay: int = 1,
        target_policy_noise: float = 0.1,
        target_noise_clip: float = 0.0,
        policy_kwargs: dict[str, Any] | None = None,
        _init_setup_model: bool = True,
        **td3: Any,
    ) -> None:
        self.denoising_steps = denoising_steps
        self.max_grad_norm, self.normalise_q = max_grad_norm, normalise_q
        self.bound_penalty, self.candidates = bound_penalty, candidates
        td3.setdefault("replay_buffer_class", AnsweredReplayBuffer)
        super().__init__(
            policy,
            env,
            learning_rate,
            policy_delay=policy_delay,
            target_policy_noise=target_policy_noise,
            target_noise_clip=target_noise_clip,
            policy_kwargs=policy_kwargs,
            _init_setup_model=False,
            **td3,
        )
        if issubclass(self.policy_class, DiffusionPolicy):
            self.policy_kwargs: dict[str, Any] = {
                "denoising_steps": denoising_steps,
                "candidates": candidates,
                **self.policy_kwargs,
            }
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        super()._setup_model()
        if isinstance(self.policy, DiffusionPolicy):
            self.policy.seed_noise(self.seed)

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Take gradient steps on batches from the replay buffer (module docstring: the losses)."""
        if self.replay_buffer.size() == 0:  # every answer so far was null
            return
        self.policy.set_training_mode(True)
        self._update_learning_rate([self.actor.optimizer, self.critic.optimizer])
        losses: dict[str, list[Tensor]] = {"critic_loss": [], "actor_loss": []}
        for _ in range(gradient_steps):
            self._n_updates += 1
            batch = self.replay_buffer.sample(batch_size, env=self._vec_normalize_env)
            losses["critic_loss"].append(self._improve(self.critic, self._critic_loss(batch)))
            if self._n_updates % self.policy_delay == 0:
                actor_loss = self._actor_loss(batch.observations)
                losses["actor_loss"].append(self._improve(self.actor, actor_loss))
                self._move_targets()
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        for name, values in losses.items():
            if values:
                self.logger.record(f"train/{name}", torch.stack(values).mean().item())

    def _critic_loss(self, batch: Any) -> Tensor:
        with torch.no_grad():
            noise = torch.randn_like(batch.actions) * self.target_policy_noise
            noise = noise.clamp(-self.target_noise_clip, self.target_noise_clip)
            next_actions = (self.actor_target(batch.next_observations) + noise).clamp(-1, 1)
            next_q = torch.cat(self.critic_target(batch.next_observations, next_actions), dim=1)
            next_q = next_q.min(dim=1, keepdim=True).values  # (B, 1)
            discounts = self.gamma if batch.discounts is None else batch.discounts
            target = batch.rewards + (1 - batch.dones) * discounts * next_q
        loss = torch.zeros(())
        for q in self.critic(batch.observations, batch.actions):
            assert q.shape == target.shape
            loss = loss + mse_loss(q, target)
        return loss

    def _actor_loss(self, observations: Tensor) -> Tensor:
        actions, logits = self.actor.propose(observations)
        q = self.critic.q1_forward(observations, actions)  # (B, 1)
        scale = q.detach().abs().mean().clamp(min=1e-3) if self.normalise_q else 1.0
        excess = torch.relu(logits.abs() - FREE_LOGIT)
        loss: Tensor = -q.mean() / scale + self.bound_penalty * excess.square().mean()
        return loss

    def _improve(self, network: Any, loss: Tensor) -> Tensor:
        weights = list(network.parameters())
        network.optimizer.zero_grad()
        torch.autograd.backward(loss, inputs=weights)
        nn.utils.clip_grad_norm_(weights, self.max_grad_norm)
        network.optimizer.step()
        return loss.detach()

    def _move_targets(self) -> None:
        polyak_update(self.critic.parameters(), self.critic_target.parameters(), self.tau)
        polyak_update(self.actor.parameters(), self.actor_target.parameters(), self.tau)

    def learn(self, total_timesteps: int, tb_log_name: str = "GDDPG", **options: Any) -> GDDPG:
        """Train for `total_timesteps` environment steps; options as in Stable-Baselines3."""
        super().learn(total_timesteps, tb_log_name=tb_log_name, **options)
        return self
