"""A small text-conditioned U-ViT that denoises latents.

After Bao et al. (CVPR 2023, "All are Worth Words"): transformer blocks over latent patches with
long skip connections from the first half to the second. Two things differ, both for speed on a
CPU: the text's tokens are attended to but are not carried through the blocks, and the time steers
every block through its normalisation (adaptive layer norm) instead of being a token.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from tinyworld.autoencoder import LATENT_CHANNELS

WIDTH = 192
HEADS = 3
BLOCKS = 7
PATCH = 2
GRID = 8
TIME_FREQUENCIES = 128


class Attention(nn.Module):
    """Patches look at each other and at the tokens of the text."""

    def __init__(self, width: int, heads: int, text_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.from_patches = nn.Linear(width, 3 * width)
        self.from_text = nn.Linear(text_width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, patches: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        query, key, value = self._split(self.from_patches(patches), parts=3)
        text_key, text_value = self._split(self.from_text(text), parts=2)
        keys = torch.cat((key, text_key), dim=2)  # (N, heads, patches + L, width / heads)
        values = torch.cat((value, text_value), dim=2)
        # Written out: torch's fused attention is several times slower backwards on a CPU.
        weights = (query @ keys.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)
        output: torch.Tensor = self.output((weights @ values).transpose(1, 2).flatten(2))
        return output

    def _split(self, joint: torch.Tensor, parts: int) -> tuple[torch.Tensor, ...]:
        shaped = joint.unflatten(-1, (parts, self.heads, -1))  # (N, L, parts, heads, width / heads)
        separate: tuple[torch.Tensor, ...] = shaped.permute(2, 0, 3, 1, 4).unbind(0)
        return separate


class Block(nn.Module):
    """A transformer block whose normalisations follow the condition (time and text)."""

    def __init__(self, width: int, heads: int, text_width: int, *, joins_skip: bool) -> None:
        super().__init__()
        self.join = nn.Linear(2 * width, width) if joins_skip else None
        self.modulation = nn.Linear(width, 6 * width)
        self.attention_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = Attention(width, heads, text_width)
        self.mlp_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        patches: torch.Tensor,
        text: torch.Tensor,
        condition: torch.Tensor,
        skip: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if self.join is not None and skip is not None:
            patches = self.join(torch.cat((patches, skip), dim=-1))
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            self.modulation(condition).unsqueeze(1).chunk(6, dim=-1)
        )
        normed = self.attention_norm(patches) * (1 + scale_a) + shift_a
        patches = patches + gate_a * self.attention(normed, text)
        normed = self.mlp_norm(patches) * (1 + scale_m) + shift_m
        modulated: torch.Tensor = patches + gate_m * self.mlp(normed)
        return modulated


class UViT(nn.Module):
    """Predicts the velocity of noisy latents (N, 8, 16, 16) at given timesteps under a text."""

    def __init__(self, text_width: int) -> None:
        super().__init__()
        patch_size = LATENT_CHANNELS * PATCH**2
        half = BLOCKS // 2
        self.embed = nn.Linear(patch_size, WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(GRID**2, WIDTH))
        self.time = nn.Sequential(
            nn.Linear(2 * TIME_FREQUENCIES, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH)
        )
        self.summary = nn.Linear(text_width, WIDTH)
        self.first = nn.ModuleList(self._block(text_width, joins_skip=False) for _ in range(half))
        self.middle = self._block(text_width, joins_skip=False)
        self.second = nn.ModuleList(self._block(text_width, joins_skip=True) for _ in range(half))
        self.final_norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, patch_size)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """Velocity (N, 8, 16, 16) for latents (N, 8, 16, 16), timesteps (N,), text (N, L, C)."""
        patches = self.embed(_patchify(latents)) + self.position
        condition = self.time(_sinusoids(timesteps)) + self.summary(text.mean(dim=1))
        condition = nn.functional.silu(condition)
        skips = []
        for block in self.first:
            patches = block(patches, text, condition)
            skips.append(patches)
        patches = self.middle(patches, text, condition)
        for block in self.second:
            patches = block(patches, text, condition, skips.pop())
        return _unpatchify(self.head(self.final_norm(patches)))

    def block_matrices(self) -> list[nn.Parameter]:
        """The matrices within the blocks: those that an optimiser for hidden layers is made for."""
        blocks = (block for block in self.modules() if isinstance(block, Block))
        return [weight for block in blocks for weight in block.parameters() if weight.ndim == 2]

    @staticmethod
    def _block(text_width: int, *, joins_skip: bool) -> Block:
        return Block(WIDTH, HEADS, text_width, joins_skip=joins_skip)


def _patchify(latents: torch.Tensor) -> torch.Tensor:
    folded = nn.functional.pixel_unshuffle(latents, PATCH)  # (N, 32, 8, 8)
    return folded.flatten(2).transpose(1, 2)  # (N, 64, 32)


def _unpatchify(patches: torch.Tensor) -> torch.Tensor:
    folded = patches.transpose(1, 2).unflatten(2, (GRID, GRID))  # (N, 32, 8, 8)
    return nn.functional.pixel_shuffle(folded, PATCH)


def _sinusoids(timesteps: torch.Tensor) -> torch.Tensor:
    exponents = torch.arange(TIME_FREQUENCIES) / TIME_FREQUENCIES
    angles = timesteps[:, None].float() * torch.exp(-math.log(10_000) * exponents)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)  # (N, 2 * TIME_FREQUENCIES)
