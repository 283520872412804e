"""An actor that denoises an action out of noise, given the state.

The reverse chain is a DDPM of few steps under the variance-preserving (VP) schedule. It predicts
the clean action itself, through tanh, and every step is a weighted mean of that prediction and the
noisy action; so the action always lies in [-1, 1] and no clip ever cuts a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import get_action_dim
from stable_baselines3.common.torch_layers import create_mlp
from torch import Tensor, nn
from torch.nn.functional import linear

from allocator.agents.interchangeable import UserwiseDenoiser
from allocator.agents.layout import Layout
from allocator.agents.single_decision import ACTIVATIONS, mean_action

BETA_MIN, BETA_MAX = 0.1, 10.0
"""Ends of the VP schedule [Q-rel: the released diffusion-DDPG code of the same author]."""


CleanLogits = Callable[[Tensor, int], Tensor]
"""Noisy actions (B, A) and the number of the step, 0 first, to the logits (B, A) of clean ones."""


@dataclass(frozen=True)
class ReverseChain:
    """Per denoising step (first to last): what the next noisy action is made of.

    x_{i-1} = `clean[i]` * x0_hat + `noisy[i]` * x_i + `noise_std[i]` * z, with z ~ N(0, I): the
    posterior q(x_{i-1} | x_i, x0_hat) of a DDPM. The last step is x0_hat alone, without noise.
    """

    clean: tuple[float, ...]
    noisy: tuple[float, ...]
    noise_std: tuple[float, ...]


def vp_betas(steps: int) -> Tensor:
    """The VP schedule's beta_1..beta_N, float64, shape (N,).

    beta_i = 1 - exp(-beta_min / N - (2i - 1) / (2 N^2) * (beta_max - beta_min))   [Q-rel]
    """
    if steps < 1:
        raise ValueError(f"a chain needs at least one denoising step, not {steps}")
    i = torch.arange(1, steps + 1, dtype=torch.float64)
    return 1 - torch.exp(-BETA_MIN / steps - (2 * i - 1) / (2 * steps**2) * (BETA_MAX - BETA_MIN))


def reverse_chain(steps: int) -> ReverseChain:
    """The posterior's coefficients under the VP schedule, ordered as the chain runs: N..1."""
    betas = vp_betas(steps)
    alphas = 1 - betas
    signal = torch.cumprod(alphas, dim=0)
    signal_before = torch.cat([torch.ones(1, dtype=torch.float64), signal[:-1]])
    clean = signal_before.sqrt() * betas / (1 - signal)
    noisy = alphas.sqrt() * (1 - signal_before) / (1 - signal)
    noise_std = (betas * (1 - signal_before) / (1 - signal)).sqrt()
    return ReverseChain(*(tuple(c.flip(0).tolist()) for c in (clean, noisy, noise_std)))


class Denoiser(nn.Module):
    """The chain's network: a state is encoded once, then met by every noisy action.

    `widths`: of the state encoder; the last is the width of the denoiser too. A denoising step
    costs width x (action + width + action) multiplications.
    """

    def __init__(
        self,
        features: int,
        actions: int,
        *,
        widths: list[int],
        steps: int,
        activation: type[nn.Module],
    ) -> None:
        super().__init__()
        width = widths[-1]
        layers = create_mlp(features, width, widths[:-1], activation)
        self.encode = nn.Sequential(*layers)
        self.action_in = nn.Linear(actions, width, bias=False)
        self.step_in = nn.Embedding(steps, width)
        nn.init.normal_(self.step_in.weight, std=0.1)
        self.denoise = nn.Sequential(
            activation(), nn.Linear(width, width), activation(), nn.Linear(width, actions)
        )

    def forward(self, features: Tensor) -> CleanLogits:
        """The network for these states (B, F): noisy actions (B, A) and a step to logits (B, A).

        Everything that does not depend on the noisy action is computed here, once.
        """
        states = (self.encode(features) + self.step_in.weight[:, None]).unbind()  # N of (B, W)
        action_in = self.action_in.weight.t()
        activate = self.denoise[0]
        hidden, out = (each for each in self.denoise if isinstance(each, nn.Linear))
        (w1, b1), (w2, b2) = (hidden.weight, hidden.bias), (out.weight, out.bias)

        def logits(noisy: Tensor, step: int) -> Tensor:
            met = torch.addmm(states[step], noisy, action_in)
            return linear(activate(linear(activate(met), w1, b1)), w2, b2)

        return logits


class DiffusionActor(BasePolicy):
    """A conditional denoiser in the place of Stable-Baselines3's TD3 `Actor`.

    `net_arch`: widths of the state encoder; the last is that of a denoising step too.
    `denoising_steps`: 4 to 6 is usual; cost grows in proportion.
    `layout`: of a scenario whose users are interchangeable; the networks then share their weights.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Box,
        net_arch: list[int],
        features_extractor: nn.Module,
        features_dim: int,
        activation_fn: type[nn.Module] = nn.SiLU,
        normalize_images: bool = True,
        denoising_steps: int = 5,
        layout: Layout | None = None,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            features_extractor=features_extractor,
            normalize_images=normalize_images,
            squash_output=True,
        )
        self.net_arch, self.activation_fn = net_arch, activation_fn
        self.features_dim, self.denoising_steps = features_dim, denoising_steps
        self.action_dim, self.layout = get_action_dim(action_space), layout
        self.chain = reverse_chain(denoising_steps)
        scale = torch.tensor([1.0, *self.chain.noise_std[:-1]])
        self.register_buffer("noise_scale", scale[:, None, None], persistent=False)
        self.generator = torch.Generator(device="cpu")
        self.denoiser: Denoiser | UserwiseDenoiser = (
            Denoiser(
                features_dim,
                self.action_dim,
                widths=net_arch,
                steps=denoising_steps,
                activation=activation_fn,
            )
            if layout is None
            else UserwiseDenoiser(layout, net_arch[-1], denoising_steps, activation_fn)
        )

    def propose(self, observation: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Actions (B, A) in [-1, 1] and the logits (B, A) they are the tanh of.

        `noise` (N, B, A), standard normal, is where the chain starts and what each step but the
        last adds; by default the actor's own generator draws it, so that a seed fixes what is
        explored. Zeros run the chain without noise: one observation, one action.
        """
        features = self.extract_features(observation, self.features_extractor)
        if noise is None:
            noise = self._noise(len(features))
        clean_logits = self.denoiser(features)
        noisy, *added = (noise.to(features) * self.noise_scale).unbind()
        for step, z in enumerate(added):
            clean = torch.tanh(clean_logits(noisy, step))
            kept = torch.add(z, noisy, alpha=self.chain.noisy[step])
            noisy = torch.add(kept, clean, alpha=self.chain.clean[step])
        logits = clean_logits(noisy, self.denoising_steps - 1)
        return torch.tanh(logits), logits

    def forward(self, observation: Tensor) -> Tensor:
        """Sampled actions (B, A), differentiable through the whole chain."""
        return self.propose(observation)[0]

    def _predict(self, observation: Tensor, deterministic: bool = False) -> Tensor:
        if not deterministic:
            return self(observation)  # type: ignore[no-any-return]
        alone = len(observation) == 1 and observation.device.type == "cpu"
        if alone and isinstance(self.denoiser, Denoiser) and self.activation_fn in ACTIVATIONS:
            features = self.extract_features(observation, self.features_extractor)
            action = mean_action(self.denoiser, self.chain, features[0].detach().numpy())
            return torch.from_numpy(action[None])
        still = torch.zeros(self.denoising_steps, len(observation), self.action_dim)
        return self.propose(observation, still)[0]

    def _noise(self, batch: int) -> Tensor:
        shape = (self.denoising_steps, batch, self.action_dim)
        return torch.randn(shape, generator=self.generator)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {
            **super()._get_constructor_parameters(),
            "net_arch": self.net_arch,
            "features_dim": self.features_dim,
            "activation_fn": self.activation_fn,
            "features_extractor": self.features_extractor,
            "denoising_steps": self.denoising_steps,
            "layout": self.layout,
        }
