"""What the air does to a latent: values become bits, some bits flip, bits become values.

The quantiser is uniform over +-4 standard deviations, since diffusion latents have unit variance at
every step. Levels are numbered in Gray code: for a Gaussian latent most values lie near the
middle, where a flipped first bit mirrors a small value instead of shifting it by half the range, so
rare bit errors cost 13.0 per unit of error rate in mean square instead of natural binary's 21.3.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from allocator.plan import Handoff

RANGE_SD = 4.0

Latent = NDArray[np.float32]
Codes = NDArray[np.uint16]


def handed_over(latent: Latent, handoff: Handoff, *, key: str) -> Latent:
    """The latent as it arrives. Which bits flip depends on `key` (the plan's) alone."""
    codes = quantised(latent, handoff.quantiser_bits)
    if handoff.bit_error_rate > 0:
        codes = with_bit_errors(codes, handoff, np.random.default_rng(_seed(key)))
    return dequantised(codes, handoff.quantiser_bits)


def quantised(latent: Latent, bits: int) -> Codes:
    """Gray codes of the quantiser's levels; values beyond the range saturate."""
    step = 2 * RANGE_SD / 2**bits
    levels = np.clip(np.floor((latent + RANGE_SD) / step), 0, 2**bits - 1).astype(np.uint16)
    codes: Codes = levels ^ (levels >> 1)
    return codes


def dequantised(codes: Codes, bits: int) -> Latent:
    """The middle of the level that each Gray code names."""
    levels = codes.copy()
    for shift in (1, 2, 4, 8):  # prefix exclusive-or undoes the Gray code
        levels ^= levels >> shift
    step = 2 * RANGE_SD / 2**bits
    values: Latent = ((levels + 0.5) * step - RANGE_SD).astype(np.float32)
    return values


def with_bit_errors(codes: Codes, handoff: Handoff, rng: np.random.Generator) -> Codes:
    """Every bit of every code flipped with the handoff's bit error rate, independently."""
    weights = 2 ** np.arange(handoff.quantiser_bits, dtype=np.uint16)
    flips = rng.random((*codes.shape, handoff.quantiser_bits)) < handoff.bit_error_rate
    corrupted: Codes = codes ^ (flips * weights).sum(axis=-1).astype(np.uint16)
    return corrupted


def _seed(key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"bit errors of {key}".encode()).digest())
