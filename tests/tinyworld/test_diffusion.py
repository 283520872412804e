from __future__ import annotations

import numpy as np
import pytest
import torch

from tinyworld.autoencoder import Autoencoder
from tinyworld.diffusion import (
    DELAY,
    random_diffusion,
    sampling_schedule,
    trained_times,
    training_schedule,
)
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


def test_sampling_starts_at_pure_noise_ends_clean_and_is_halfway_at_the_delay() -> None:
    schedule = sampling_schedule()
    schedule.set_timesteps(10)
    assert schedule.timesteps.tolist() == list(range(999, -1, -100))
    signal = schedule.alphas_cumprod
    assert signal[999] < 1e-4
    assert signal[0] > 0.999
    assert (1 - signal[499]) / signal[499] == pytest.approx(DELAY**2, rel=1e-3)


def test_the_model_is_told_the_time_at_which_training_had_as_much_noise() -> None:
    trained = training_schedule().alphas_cumprod
    for timestep in (50, 300, 499, 700, 900):
        below = int(trained_times()[timestep])
        signal = sampling_schedule().alphas_cumprod[timestep]
        assert trained[below + 1] <= signal <= trained[below]
    assert trained_times()[999] == 999


def test_sampling_is_determined_by_its_generator(diffusion) -> None:
    def draw(seed: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(seed)
        return sample(diffusion, ["a man", "a dog"], generator, steps=2)

    assert draw(1).shape == (2, 64, 64, 3)
    assert np.array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))
