"""The scale of opinions: an unbounded liking, seen through a logistic curve as 1 to 5.

Everything that moves an opinion (how well the picture fits, who looks, on what day) adds up on the
liking. The curve then does what people do: opinions differ most in the middle of the scale and
agree at its ends, as the SOS hypothesis says (Hossfeld et al. 2011), and no score is ever clipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE

Array = NDArray[np.float64]

RANGE = HIGHEST_SCORE - LOWEST_SCORE

ALIGNMENT_SHARE = 0.6
"""Weight of the prompt's fit against technical quality in the picture's worth."""

FLOOR = 0.05
"""Worth is kept this far from 0 and 1: panels never agree on the very end of the scale."""


def worth(alignment: ArrayLike, quality: ArrayLike) -> Array:
    """What a picture is worth in (0, 1): a weighted geometric mean, so neither excuses the other.

    Args:
        alignment: degree in [0, 1] to which it shows what the prompt asked for.
        quality: technical quality in [0, 1].
    """
    fit = np.clip(np.asarray(alignment, dtype=float), 1e-3, 1)
    finish = np.clip(np.asarray(quality, dtype=float), 1e-3, 1)
    blend: Array = fit**ALIGNMENT_SHARE * finish ** (1 - ALIGNMENT_SHARE)
    return FLOOR + (1 - 2 * FLOOR) * blend


def liking(fraction: ArrayLike) -> Array:
    """The unbounded liking that stands for a fraction in (0, 1) of the scale."""
    return np.asarray(logit(np.asarray(fraction, dtype=float)))


def score(likings: ArrayLike) -> Array:
    """Likings as scores from 1 to 5."""
    return LOWEST_SCORE + RANGE * np.asarray(expit(np.asarray(likings, dtype=float)))


def standard_error(likings: ArrayLike, sd: float) -> Array:
    """The standard error of a score whose liking is uncertain by `sd` (delta method)."""
    fraction = np.asarray(expit(np.asarray(likings, dtype=float)))
    return np.asarray(RANGE * fraction * (1 - fraction) * sd)
