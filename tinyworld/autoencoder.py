"""The autoencoder: 64 x 64 pictures to latents of 8 x 16 x 16 with unit variance, and back.

Pixels are folded four by four into channels, so that every convolution runs at 16 x 16: on a CPU
convolutions at full resolution are tens of times slower.
"""

from __future__ import annotations

import torch
from torch import nn

FOLD = 4
LATENT_CHANNELS = 8
LATENT_SHAPE = (LATENT_CHANNELS, 16, 16)
WIDTH = 128


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around which the input passes unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        residual: torch.Tensor = self.body(features)
        return features + residual


class Autoencoder(nn.Module):
    """Pixels in [-1, 1] of shape (N, 3, 64, 64) <-> latents (N, 8, 16, 16)."""

    def __init__(self) -> None:
        super().__init__()
        folded = 3 * FOLD**2
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            nn.Conv2d(folded, WIDTH, 3, padding=1),
            ResidualBlock(WIDTH),
            nn.Conv2d(WIDTH, LATENT_CHANNELS, 3, padding=1),
            # Keeps every latent channel at mean 0 and variance 1, whatever the encoder learns.
            nn.BatchNorm2d(LATENT_CHANNELS, affine=False, momentum=0.02),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENT_CHANNELS, WIDTH, 3, padding=1),
            ResidualBlock(WIDTH),
            ResidualBlock(WIDTH),
            nn.GroupNorm(8, WIDTH),
            nn.SiLU(),
            nn.Conv2d(WIDTH, folded, 3, padding=1),
            nn.PixelShuffle(FOLD),
        )

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        latents: torch.Tensor = self.encoder(pixels)
        return latents

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        pixels: torch.Tensor = self.decoder(latents)
        return pixels
