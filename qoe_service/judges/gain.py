"""How strongly the evidence may speak: personality is a small effect on liking.

Published shares of the variance of ratings that personality explains lie between 5 and 14 %.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qoe_service.judges.appeal import SEVERITY_SD, Keys, Panel, offsets
from qoe_service.judges.calibration import solve_increasing
from qoe_service.judges.scale import score
from qoe_service.norms import norm
from qoe_service.statistics import variance_shares

Array = NDArray[np.float64]

PERSONA_SHARE = 0.09
"""The share that personas are given: the middle of the published band."""

NORM = "sapa-bfi25-adults"


def fit_gain(shared: Array, features: Array, keys: Keys) -> float:
    """The gain that gives people of the norm their share of the variance of ratings.

    Args:
        shared: the liking all agree on, (N,). It is the truth of the reference set, not what one
            judge makes of it, for a judge that sees little must not shrink its personas.
        features: (N, F) standardised features as the judge sees them.
        keys: (N,) identities of the pictures.
    """
    panel = norm_panel(size=200, seed=0)

    def persona_share(gain: float) -> float:
        ratings = score(shared[:, None] + offsets(features, panel, keys, gain))
        return variance_shares(ratings).of_personas

    return round(solve_increasing(persona_share, PERSONA_SHARE, low=0.0, high=20.0), 3)


def norm_panel(size: int, seed: int) -> Panel:
    """People drawn from the norm, their traits correlated as measured."""
    rng = np.random.default_rng(seed)
    correlation = norm(NORM).correlation
    traits = rng.multivariate_normal(np.zeros(len(correlation)), correlation, size=size)
    keys = rng.integers(2**63, size=size, dtype=np.uint64)
    return Panel(traits, rng.normal(0, SEVERITY_SD, size), keys)
