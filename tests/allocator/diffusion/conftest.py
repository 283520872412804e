from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler


class ElementwiseDiffusion:
    """A diffusion model whose rows never touch each other: equal work gives equal bits.

    Each latent is pulled towards a pattern of its text; nothing is summed across a batch.
    """

    latent_shape = (4, 16, 16)
    revision = "elementwise"

    def __init__(self):
        self.forwards: list[int] = []

    @property
    def unconditional(self):
        return torch.zeros(1, 1024)

    def encode_text(self, prompts):
        return torch.stack([self._pattern(prompt) for prompt in prompts])

    def _pattern(self, prompt):
        seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4])
        return torch.randn(1, 1024, generator=torch.Generator().manual_seed(seed))

    def velocity(self, latents, timesteps, text):
        self.forwards.append(len(latents))
        noise_share = timesteps.view(-1, 1, 1, 1) / 1000
        return noise_share * latents - text.view(-1, 4, 16, 16) / 4

    def decode(self, latents):
        values = np.clip(128 + 30 * latents[:, :3].numpy(), 0, 255).astype(np.uint8)
        return np.repeat(np.repeat(values.transpose(0, 2, 3, 1), 4, axis=1), 4, axis=2)

    def scheduler(self):
        return DDIMScheduler(
            beta_schedule="squaredcos_cap_v2",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            clip_sample=False,
        )


@pytest.fixture
def diffusion():
    return ElementwiseDiffusion()


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)
