"""Linear readers of a scene's factors, used in training only.

Contrastive learning has a saddle: while the picture tower does not see a weak factor, the text
tower has no reason to say it, and the other way round. (A CLIP trained without these heads read
tidiness at chance after 1,350 steps.) One linear head per factor, the same for pictures and texts,
pushes both towers off the saddle and in the same direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tinyworld.clip import EMBEDDING_SIZE
from tinyworld.scenes import ACTIONS, PLACES, STYLES, SUBJECTS, TIDINESS, TIMES, Scene

VALUES: dict[str, Sequence[object]] = {
    "place": PLACES,
    "time": TIMES,
    "subjects": SUBJECTS,
    "action": (None, *ACTIONS),
    "style": STYLES,
    "tidiness": TIDINESS,
}
SHARPNESS = 12.0
"""Scales unit vectors so that a head's softmax can be sure of itself."""


class FactorHeads(nn.Module):
    """Cross-entropy of every factor, read from unit vectors of pictures or texts."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {factor: nn.Linear(EMBEDDING_SIZE, len(values)) for factor, values in VALUES.items()}
        )

    def forward(self, embeddings: torch.Tensor, scenes: Sequence[Scene]) -> torch.Tensor:
        """Mean cross-entropy over the factors, for embeddings (N, 128) of these scenes."""
        losses = [
            nn.functional.cross_entropy(head(SHARPNESS * embeddings), factor_labels(scenes, factor))
            for factor, head in self.heads.items()
        ]
        return torch.stack(losses).mean()


class TaughtClip(nn.Module):
    """A CLIP together with its heads, as one thing to train."""

    def __init__(self, clip: Any) -> None:
        super().__init__()
        self.clip = clip
        self.heads = FactorHeads()


def factor_labels(scenes: Sequence[Scene], factor: str) -> torch.Tensor:
    """Indices (N,) of each scene's value among the factor's values."""
    values = list(VALUES[factor])
    return torch.tensor([values.index(getattr(scene, factor)) for scene in scenes])
