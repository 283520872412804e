"""Features read off a CLIP by pairs of opposite phrases.

A feature's direction leads from the mean of what its opposite is called to the mean of what it is
called, each phrase said in the same templates, so that only the difference is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Array = NDArray[np.float64]
Texts = Callable[[Sequence[str]], NDArray[np.float32]]


class Axis(BaseModel):
    """Two opposite ends in words; `{}` in a template is where a phrase goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    templates: tuple[str, ...] = Field(default=("{}",), min_length=1)
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)


class Phrases(BaseModel):
    """What one vocabulary calls things."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: dict[str, Axis]
    """Axes of the evidence's features."""
    quality: dict[str, Axis] = {}
    """Axes of technical quality."""
    contrast: tuple[str, ...] = Field(min_length=8)
    """A fixed bank of captions that a prompt is measured against."""


@cache
def phrases(vocabulary: str) -> Phrases:
    """The phrases of a vocabulary in `prompts/clip-phrases.yaml`."""
    table = yaml.safe_load((files("prompts") / "clip-phrases.yaml").read_text(encoding="utf-8"))
    return Phrases.model_validate(table[vocabulary])


@dataclass(frozen=True, eq=False)
class Directions:
    """Named directions in a CLIP's space, (K, D)."""

    names: tuple[str, ...]
    vectors: Array

    def read(self, embeddings: Array) -> Array:
        """The place (N, K) of embeddings (N, D) along each direction, the others accounted for.

        Directions are oblique: captions with people in them also sound less abstract. Oblique
        coordinates credit a picture with what no other direction explains; plain dot products
        would count it under both.
        """
        return np.asarray(embeddings @ self.readers)

    @cached_property
    def readers(self) -> Array:
        """(D, K) the pseudo-inverse of the directions."""
        return np.asarray(np.linalg.pinv(self.vectors))


def directions(axes: dict[str, Axis], texts: Texts) -> Directions:
    """The directions of axes in the space of the CLIP that `texts` belongs to."""
    found = [
        _end(axis, axis.positive, texts) - _end(axis, axis.negative, texts)
        for axis in axes.values()
    ]
    width = texts(["x"]).shape[1]
    return Directions(tuple(axes), np.array(found, dtype=float).reshape(-1, width))


def _end(axis: Axis, words: Sequence[str], texts: Texts) -> Array:
    said = [template.format(word) for template in axis.templates for word in words]
    mean = texts(said).astype(float).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
