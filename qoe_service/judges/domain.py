"""Whether a picture is of the kind a model was made for.

The embeddings of the reference set are described by a Gaussian: its main directions, and how far
embeddings usually lie outside of them. What lies further from it than nearly all of the reference
set is out of domain, and a number for it would be a confident wrong one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qoe_service.judges.calibration import Frozen, rounded

Array = NDArray[np.float64]

DIRECTIONS = 24
QUANTILE = 0.999
"""The share of the reference set that counts as inside."""


class Domain(Frozen):
    """A Gaussian over embeddings with a border."""

    mean: tuple[float, ...]
    directions: tuple[tuple[float, ...], ...]
    """(K, D) main directions, each divided by its SD."""
    outside_sd: float
    """SD of an embedding's part outside of these directions."""
    border: float

    def distance(self, embeddings: Array) -> Array:
        """How far embeddings (N, D) lie from the middle, in SDs (root mean square), (N,)."""
        centred = embeddings - np.asarray(self.mean)
        whitening = np.asarray(self.directions)
        inside = centred @ whitening.T
        scale = np.linalg.norm(whitening, axis=1)
        explained = (inside / scale) @ (whitening / scale[:, None])
        outside = np.square(centred - explained).sum(axis=1) / self.outside_sd**2
        terms = len(whitening) + 1
        return np.asarray(np.sqrt((np.square(inside).sum(axis=1) + outside) / terms))

    def outsiders(self, embeddings: Array) -> NDArray[np.bool_]:
        """(N,) which embeddings lie beyond the border."""
        return np.asarray(self.distance(embeddings) > self.border)


def fit_domain(embeddings: Array, held_out: Array) -> Domain:
    """The Gaussian of embeddings (N, D), its border at the 99.9 % quantile of held-out ones."""
    mean = embeddings.mean(axis=0)
    _, singular, directions = np.linalg.svd(embeddings - mean, full_matrices=False)
    count = min(DIRECTIONS, len(singular) - 1)
    sd = singular[:count] / np.sqrt(len(embeddings))
    outside = float(np.sqrt(np.square(singular[count:]).sum() / len(embeddings)))
    whitening = directions[:count] / sd[:, None]
    open_border = Domain(
        mean=rounded(mean),
        directions=tuple(rounded(row) for row in whitening),
        outside_sd=rounded(np.array([outside]))[0],
        border=float("inf"),
    )
    border = np.quantile(open_border.distance(held_out), QUANTILE)
    return open_border.model_copy(update={"border": round(float(border), 4)})
