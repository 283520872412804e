"""bfloat16 where the processor multiplies it, float32 where it does not."""

from __future__ import annotations

import torch

NATIVE = ("avx512_bf16", "amx_bf16")
"""Instructions that multiply bfloat16; without them a product takes ten times float32's time."""


def fast_products() -> torch.autocast:
    """A block whose matrix products and convolutions take the faster of the two."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=multiplies_bfloat16())


def multiplies_bfloat16() -> bool:
    """Whether this processor does."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in NATIVE)
