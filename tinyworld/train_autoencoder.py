"""Train tinyworld's autoencoder: `python -m tinyworld.train_autoencoder`.

A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tinyworld.autoencoder import Autoencoder
from tinyworld.card import write_card
from tinyworld.clip import WEIGHTS
from tinyworld.dataset import held_out_set, training_set
from tinyworld.precision import fast_products
from tinyworld.train_clip import PICTURES
from tinyworld.training import Run, Schedule, adamw, train
from tinyworld.weight_files import load_weights, save_weights

BATCH = 48
LATENT_NOISE = 0.1
"""Noise added to latents in training, so that the decoder forgives an imperfect denoiser."""

HALF_SIZE_WEIGHT = 0.5
"""Of the rule that a latent at half size is the latent of the picture at half size.

Without it the code is as rough as noise (its power is spread evenly over all frequencies), and a
diffusion model that must predict it learns slowly. After Skorokhodov et al. (ICML 2025, "Improving
the Diffusability of Autoencoders").
"""


def main() -> None:
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    model = Autoencoder().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    data = training_set(PICTURES, seed=0, folder=arguments.folder)

    def loss_of_step(rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        rows = np.sort(rng.choice(len(data.scenes), BATCH, replace=False))
        pixels = signed_pixels(data.pictures[rows]).contiguous(memory_format=torch.channels_last)
        with fast_products():
            latents = model.encode(pixels)
            noise = LATENT_NOISE * torch.randn(latents.shape, generator=generator)
            rebuilt = model.decode(latents + noise).float()
            rebuilt_at_half_size = model.decode(_half_size(latents)).float()
        return _unlikeness(rebuilt, pixels) + HALF_SIZE_WEIGHT * _unlikeness(
            rebuilt_at_half_size, _half_size(pixels)
        )

    optimiser = adamw(model.parameters(), peak_learning_rate=1.5e-3, weight_decay=0.0)
    schedule = Schedule(arguments.steps, warm_up_steps=100)
    run = Run("autoencoder", arguments.folder, arguments.seed, schedule)
    trained = train(model, [optimiser], loss_of_step, run)
    save_weights(WEIGHTS / "autoencoder.safetensors", trained.state_dict())
    _write_card(arguments.steps, arguments.seed)


def signed_pixels(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 pictures (N, 64, 64, 3) as pixels in [-1, 1] of shape (N, 3, 64, 64)."""
    channels_first = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return channels_first.float() / 127.5 - 1


def _half_size(grid: torch.Tensor) -> torch.Tensor:
    return nn.functional.avg_pool2d(grid, 2)


def _unlikeness(rebuilt: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Squared error, absolute error, and both pictures' outlines against each other."""
    error = rebuilt - pixels
    loss: torch.Tensor = error.square().mean() + 0.2 * error.abs().mean()
    return loss + 0.2 * _edge_error(error)


def _edge_error(error: torch.Tensor) -> torch.Tensor:
    """How wrong the differences between neighbouring pixels are: keeps outlines sharp."""
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


@torch.inference_mode()
def _write_card(steps: int, seed: int) -> None:
    shipped = Autoencoder().eval()
    shipped.load_state_dict(load_weights(WEIGHTS / "autoencoder.safetensors"))
    pixels = signed_pixels(held_out_set(1_000, seed=0).pictures)
    rebuilt = shipped.decode(shipped.encode(pixels)).clamp(-1, 1)
    squared_error = (rebuilt - pixels).square().mean(dim=(1, 2, 3))
    psnr_db = 10 * torch.log10(4 / squared_error)
    write_card(
        WEIGHTS / "autoencoder.md",
        title="tinyworld's autoencoder",
        command=f"python -m tinyworld.train_autoencoder --seed {seed} --steps {steps}",
        facts={
            "training pictures": f"{PICTURES:,} drawn with seed 0",
            "steps": f"{steps:,} of {BATCH} pictures",
            "latent": "8 x 16 x 16, unit variance",
        },
        scores_title="on 1,000 pictures of held-out combinations, seed 0",
        scores={
            "PSNR, mean": f"{psnr_db.mean():.1f} dB",
            "PSNR, worst 5 %": f"{psnr_db.quantile(0.05):.1f} dB",
        },
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--folder", type=Path, default=Path("runs/tinyworld"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
