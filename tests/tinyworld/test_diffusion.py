from __future__ import annotations

import numpy as np
import pytest
import torch

from tinyworld.autoencoder import Autoencoder
from tinyworld.diffusion import noise_schedule, random_diffusion
from tinyworld.sampling import sample


@pytest.fixture(scope="module")
def diffusion():
    return random_diffusion(seed=0)


def test_latents_of_the_autoencoder_have_unit_variance_in_training() -> None:
    torch.manual_seed(0)
    latents = Autoencoder().train().encode(torch.rand(16, 3, 64, 64) * 2 - 1)
    assert latents.shape == (16, 8, 16, 16)
    variance = latents.var(dim=(0, 2, 3))
    assert torch.allclose(variance, torch.ones(8), atol=0.02)


def test_the_velocity_depends_on_latent_time_and_text(diffusion) -> None:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 8, 16, 16, generator=generator)
    times = torch.tensor([500, 500])
    text = diffusion.encode_text(["a man in the park", "a dog at night"])
    velocity = diffusion.velocity(latents, times, text)
    assert velocity.shape == latents.shape
    assert velocity.dtype == torch.float32
    for changed in (
        diffusion.velocity(latents.flip(0), times, text),
        diffusion.velocity(latents, times // 2, text),
        diffusion.velocity(latents, times, text.flip(0)),
    ):
        assert not torch.allclose(changed, velocity, atol=1e-3)


def test_the_schedule_starts_at_pure_noise_and_ends_clean() -> None:
    schedule = noise_schedule()
    schedule.set_timesteps(10)
    assert schedule.timesteps.tolist() == list(range(999, -1, -100))
    assert schedule.alphas_cumprod[999] < 1e-4
    assert schedule.alphas_cumprod[0] > 0.999


def test_sampling_is_determined_by_its_generator(diffusion) -> None:
    def draw(seed: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(seed)
        return sample(diffusion, ["a man", "a dog"], generator, steps=2)

    assert draw(1).shape == (2, 64, 64, 3)
    assert np.array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))
