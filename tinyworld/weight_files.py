"""Weights on disk: float16 safetensors, small enough for git."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def save_weights(file: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write weights as float16; what is not floating point keeps its type."""
    file.parent.mkdir(parents=True, exist_ok=True)
    halved = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state.items()
    }
    save_file(halved, file)


def load_weights(file: Path) -> dict[str, torch.Tensor]:
    """Read weights as float32."""
    if not file.exists():
        raise FileNotFoundError(
            f"{file.name} is not among tinyworld's weights; train it with "
            f"'python -m tinyworld.train_diffusion' or restore the file from the repository"
        )
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(file).items()
    }
