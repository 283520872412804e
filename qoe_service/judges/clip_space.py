"""What can be read off a CLIP's space: how well a picture fits a prompt, what is on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.judges.axes import Directions, directions, phrases
from qoe_service.judges.encoder import Encoder
from qoe_service.judges.measures import quality_inputs

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClipSpace:
    """The directions and the contrast bank of one CLIP, from its own text tower."""

    features: Directions
    quality: Directions
    contrast: Array
    """(K, D) unit vectors of the contrast captions."""

    def alignment(self, pictures: Array, prompts: Array, picture_mean: Array) -> Array:
        """How well pictures (N, D) fit prompts (N, D), (N,): comparable across models.

        The cosine of a picture and a caption of any CLIP has a large constant part, because
        pictures and texts lie in two separate cones. So both are centred first, pictures at the
        mean of the reference set and prompts at the mean of the contrast bank: what is left says
        how much better this prompt fits this picture than captions do in general.
        """
        seen = _unit(pictures - picture_mean)
        asked = _unit(prompts - self.contrast.mean(axis=0))
        return np.asarray(np.einsum("nd,nd->n", seen, asked))

    def quality_inputs(self, pictures: Array, measures: Array, distance: Array) -> Array:
        """What technical quality is read from: pixels, the quality axes, how usual it looks."""
        return np.column_stack(
            [quality_inputs(measures), self.quality.read(pictures), np.log(distance + 1e-3)]
        )


def clip_space(encoder: Encoder) -> ClipSpace:
    """The space of an encoder."""
    words = phrases(encoder.vocabulary)
    return ClipSpace(
        features=directions(words.features, encoder.texts),
        quality=directions(words.quality, encoder.texts),
        contrast=encoder.texts(words.contrast).astype(float),
    )


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9))
