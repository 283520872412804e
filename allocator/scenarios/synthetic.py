"""A synthetic QoE table for tests and benchmarks of a scenario alone. No product path uses it.

Quality against shared steps and similarity follows the plain-sharing surface fitted to public
measurements, and against bit errors the line fitted to a published figure (both [Q-rel]):

    Q(x, s) = C(s) + (0.333 - C(s)) / (1 + exp(k(s) (x - x0(s))))       x of 28 steps
    C = -0.0235 + 0.3516 s,   k = 0.1847 + 0.0500 s,   x0 = 16.571 - 8.668 s
    W(p) = 1 - 2.53 p / 0.662

Word-count cosines are raised to the fourth power to spread like the sentence encoder's of the
fit, and how prompts, seeds and personas differ is invented: both [R].
"""

from __future__ import annotations

import numpy as np

from allocator.arrays import Floats
from allocator.catalogue import Catalogue, compose_catalogue, word_embedding
from allocator.experience import RecordedExperience

FITTED_STEPS = 28
PERSONAS = 8


def sharing_quality(shared: Floats, similarity: Floats) -> Floats:
    """Quality relative to drawing alone; `shared` is the share of steps under another's prompt."""
    floor = -0.0235 + 0.3516 * similarity
    slope = 0.1847 + 0.05 * similarity
    middle = 16.571 - 8.668 * similarity

    def surface(x: Floats) -> Floats:
        quality: Floats = floor + (0.333 - floor) / (1 + np.exp(slope * (x - middle)))
        return quality

    relative: Floats = surface(FITTED_STEPS * shared) / surface(np.zeros_like(shared))
    # A user whose own prompt is the public one loses nothing, however much is shared.
    return np.where(similarity > 1 - 1e-9, 1.0, relative)


def channel_quality(bit_error_rate: Floats) -> Floats:
    """Quality relative to an unharmed latent; levelled off at 0.1, beyond the fit."""
    return np.maximum(1 - 2.53 / 0.662 * bit_error_rate, 0.1)


def synthetic_experience(seed: int = 0, catalogue: Catalogue | None = None) -> RecordedExperience:
    """A full table over `catalogue` (tinyworld's, with word counts as its text encoder)."""
    rng = np.random.default_rng(seed)
    catalogue = catalogue or compose_catalogue(word_embedding)
    prompts, seeds, steps, _ = catalogue.shape
    shared = np.arange(steps)[None, :] / steps  # (1, steps)
    sharing = sharing_quality(shared, catalogue.similarity[:, None] ** 4)  # (prompts, steps)
    channel = channel_quality(np.array(catalogue.error_levels))  # (levels,)
    harm = np.where(np.arange(steps)[:, None] == 0, 1.0, channel[None, :])  # (steps, levels)
    alone = rng.uniform(0.6, 0.9, prompts)[:, None] + rng.normal(0, 0.02, (prompts, seeds))
    picture = alone[:, :, None, None] * sharing[:, None, :, None] * harm[None, None]
    generosity = rng.normal(0, 0.05, PERSONAS)
    tolerance = rng.uniform(0.8, 1.2, PERSONAS)
    table = np.clip(picture[..., None] ** tolerance + generosity, 0.0, 1.0)
    names = tuple(f"synthetic-{i}" for i in range(PERSONAS))
    return RecordedExperience(catalogue, names, rng.normal(0, 1, (PERSONAS, 5)), table)
