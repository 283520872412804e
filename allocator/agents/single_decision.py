"""One decision of a plain diffusion actor, in numpy.

PyTorch takes longer to be called than to multiply a vector by a small matrix, and a chain calls it
fifty times; in numpy a decision takes half as long (benchmarks/decision_latency.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn

if TYPE_CHECKING:
    from allocator.agents.diffusion_actor import Denoiser, ReverseChain

Vector = NDArray[np.float32]
Layer = Callable[[Vector], Vector]

ACTIVATIONS: Mapping[type[nn.Module], Layer] = {
    nn.SiLU: lambda x: x * expit(x),
    nn.ReLU: lambda x: np.maximum(x, 0),
    nn.Tanh: np.tanh,
}
"""Those a decision can be made with."""


def mean_action(denoiser: Denoiser, chain: ReverseChain, features: Vector) -> Vector:
    """Features (F,) to the action (A,) in [-1, 1] at the end of the chain without noise."""
    encode, denoise = layers(denoiser.encode), layers(denoiser.denoise)
    action_in = shared_memory(denoiser.action_in.weight)
    states = shared_memory(denoiser.step_in.weight) + through(encode, features)  # (N, W)
    action = noisy = np.zeros(action_in.shape[1], np.float32)
    for state, kept, share in zip(states, chain.noisy, chain.clean, strict=True):
        action = np.tanh(through(denoise, state + action_in @ noisy))
        noisy = kept * noisy + share * action
    return action


def layers(network: nn.Sequential) -> list[Layer]:
    """Linear layers and activations as functions of vectors."""
    return [
        linear(each) if isinstance(each, nn.Linear) else ACTIVATIONS[type(each)] for each in network
    ]


def linear(layer: nn.Linear) -> Layer:
    """x to Wx + b."""
    weight, bias = shared_memory(layer.weight), shared_memory(layer.bias)
    return lambda x: weight @ x + bias


def through(network: list[Layer], x: Vector) -> Vector:
    """What comes out of the last layer."""
    for layer in network:
        x = layer(x)
    return x


def shared_memory(weight: Tensor) -> Vector:
    """The weight itself, not a copy."""
    array: Vector = weight.detach().numpy()
    return array
