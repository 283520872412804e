"""Matrix products in bfloat16 only where the processor has instructions for it."""

from __future__ import annotations

import pytest
import torch

from tinyworld.diffusion import load_diffusion
from tinyworld.precision import fast_products


def on_a_processor_with(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True} | capabilities)


def product() -> torch.Tensor:
    with fast_products():
        return torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 3))


@pytest.mark.parametrize("instructions", ["avx512_bf16", "amx_bf16"])
def test_products_are_in_bfloat16_where_the_processor_multiplies_it(monkeypatch, instructions):
    on_a_processor_with(monkeypatch, **{instructions: True})
    assert product().dtype == torch.bfloat16


@pytest.mark.parametrize("capabilities", [{}, {"avx512_bf16": False, "amx_bf16": False}])
def test_products_are_in_float32_elsewhere(monkeypatch, capabilities):
    on_a_processor_with(monkeypatch, **capabilities)
    assert product().dtype == torch.float32


def test_the_denoiser_says_the_same_in_both(monkeypatch):
    diffusion = load_diffusion()
    latents = torch.randn(2, *diffusion.latent_shape, generator=torch.Generator().manual_seed(0))
    text = diffusion.encode_text(["a dog in the park", "a street at night"])
    said = []
    for native in (True, False):
        on_a_processor_with(monkeypatch, avx512_bf16=native)
        said.append(diffusion.velocity(latents, torch.tensor([900, 300]), text))
    assert (said[0] - said[1]).norm() < 0.05 * said[1].norm()
