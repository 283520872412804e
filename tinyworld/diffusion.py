"""tinyworld's latent diffusion model: autoencoder, U-ViT and CLIP's text tower, ready to sample.

What is here knows one forward pass; guidance, sampling and sharing are the generator's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from numpy.typing import NDArray

from tinyworld.autoencoder import LATENT_SHAPE, Autoencoder
from tinyworld.clip import TEXT_WIDTH, WEIGHTS, TinyClip, create_clip, load_clip
from tinyworld.precision import fast_products
from tinyworld.uvit import BLOCKS, Block, UViT
from tinyworld.weight_files import load_weights

TIMESTEPS = 1000
STRETCH, DELAY = 1.5, 2.8
"""What sampling's noise schedule differs by from training's."""


@dataclass(frozen=True)
class LatentDiffusion:
    """A text-conditioned denoiser of latents (8, 16, 16) with unit variance."""

    clip: TinyClip
    autoencoder: Autoencoder
    denoiser: UViT
    revision: str
    latent_shape: tuple[int, int, int] = LATENT_SHAPE
    blocks: int = BLOCKS

    def encode_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """Token features (N, L, C) of prompts, float32."""
        return self.clip.text_features(prompts)

    @property
    def unconditional(self) -> torch.Tensor:
        """Token features (L, C) of the empty prompt."""
        return self.clip.text_features([""])[0]

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (N, D): the dot product of two is how similar their meanings are."""
        return self.clip.embed_texts(prompts)

    @torch.inference_mode()
    def velocity(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """Predicted velocity (N, 8, 16, 16) float32, for timesteps (N,) and features (N, L, C)."""
        with fast_products():
            predicted: torch.Tensor = self.denoiser(latents, trained_times()[timesteps], text)
        return predicted.float()

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> NDArray[np.uint8]:
        """Pictures (N, 64, 64, 3) of clean latents (N, 8, 16, 16)."""
        pixels = self.autoencoder.decode(latents).clamp(-1, 1)
        bytes_ = ((pixels + 1) * 127.5).round().to(torch.uint8)
        return np.ascontiguousarray(bytes_.permute(0, 2, 3, 1).numpy())

    def scheduler(self) -> DDIMScheduler:
        """A fresh sampler."""
        return sampling_schedule()


def training_schedule() -> DDIMScheduler:
    """The cosine schedule, with velocity prediction: every angle of noise is met equally often."""
    return _schedule(beta_schedule="squaredcos_cap_v2")


def sampling_schedule() -> DDIMScheduler:
    """The cosine schedule with its log-SNR stretched by STRETCH and lowered by 2 log DELAY.

    Small pictures keep their composition through much noise, so that under the cosine schedule two
    of ten steps decide what is drawn. Here half of the steps pass before noise has fallen to DELAY
    times the signal, and a prompt decides as late as in the large models (shifted schedules:
    Hoogeboom et al., ICML 2023, "simple diffusion").
    """
    progress = torch.arange(1, TIMESTEPS + 1, dtype=torch.float64) / TIMESTEPS
    noise_to_signal = DELAY * torch.tan(torch.pi / 2 * progress) ** STRETCH
    kept = 1 / (1 + noise_to_signal**2)
    betas = 1 - kept / torch.cat((torch.ones(1), kept[:-1]))
    return _schedule(trained_betas=betas.float().numpy())


def _schedule(**betas: Any) -> DDIMScheduler:
    return DDIMScheduler(
        num_train_timesteps=TIMESTEPS,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        **betas,
    )


@cache
def trained_times() -> torch.Tensor:
    """For every timestep of sampling, the time in training (1000,) at which noise was as strong."""
    trained, wanted = (
        torch.acos(schedule().alphas_cumprod.double().sqrt()).numpy()
        for schedule in (training_schedule, sampling_schedule)
    )
    times = np.interp(wanted, trained, np.arange(TIMESTEPS))
    return torch.from_numpy(times.astype(np.float32))


@cache
def load_diffusion() -> LatentDiffusion:
    """The shipped model."""
    autoencoder, denoiser = Autoencoder(), UViT(TEXT_WIDTH)
    autoencoder.load_state_dict(load_weights(WEIGHTS / "autoencoder.safetensors"))
    denoiser.load_state_dict(load_weights(WEIGHTS / "uvit.safetensors"))
    return _frozen(load_clip(), autoencoder, denoiser, revision=_revision())


def random_diffusion(seed: int) -> LatentDiffusion:
    """A model of random weights: it runs like the shipped one and draws noise."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder, denoiser = Autoencoder(), UViT(TEXT_WIDTH)
        # Training starts these at zero; left so, the output would not depend on the input.
        torch.nn.init.normal_(denoiser.head.weight, std=0.05)
        for module in denoiser.modules():
            if isinstance(module, Block):
                torch.nn.init.normal_(module.modulation.weight, std=0.05)
    return _frozen(create_clip(seed), autoencoder, denoiser, revision=f"random-{seed}")


def _frozen(
    clip: TinyClip, autoencoder: Autoencoder, denoiser: UViT, revision: str
) -> LatentDiffusion:
    autoencoder.eval().requires_grad_(False)
    denoiser.eval().requires_grad_(False)
    return LatentDiffusion(clip, autoencoder, denoiser, revision)


def _revision() -> str:
    """Changes with the weights and with the schedule: both change every picture."""
    digest = hashlib.sha256(sampling_schedule().alphas_cumprod.numpy().tobytes())
    for name in ("clip", "autoencoder", "uvit"):
        digest.update((WEIGHTS / f"{name}.safetensors").read_bytes())
    return digest.hexdigest()[:12]
