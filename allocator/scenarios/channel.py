"""The channel of a whole episode at once, from independent normals: path loss, shadowing, fading.

Shadowing is what one slot tells of the next: a user walks a few metres meanwhile. Small-scale
fading has long forgotten itself by then, as Jakes' correlation says, but phones have more than one
antenna.
"""

from __future__ import annotations

from functools import reduce
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats
from allocator.edge.radio import (
    NLOS_DECORRELATION_M,
    NLOS_SHADOWING_DB,
    jakes_correlation,
    nlos_path_loss_db,
)
from allocator.scenarios.settings import SharedDenoisingSettings

ANTENNAS = 2
NORMALS = 1 + 2 * ANTENNAS
"""Standard normals per user and slot: the shadowing, and a complex gain for each antenna."""


def gain_db(
    area: Floats, normal: NDArray[np.floating], settings: SharedDenoisingSettings
) -> Floats:
    """(B, S, G, K) gains out of (B, G, K) uniforms and (B, S, G, K, NORMALS) standard normals.

    The uniforms place users uniformly in the ring between the nearest and the farthest distance.
    The antennas' mean power is Gamma(m, 1/m), m antennas: Nakagami-m fading of mean 1.
    """
    near, far = settings.nearest_m**2, settings.farthest_m**2
    loss_db = nlos_path_loss_db(np.sqrt(near + area * (far - near))) + settings.wall_loss_db
    kept = float(np.exp(-settings.walking_mps * settings.slot_s / NLOS_DECORRELATION_M))
    shadowing_db = NLOS_SHADOWING_DB * autoregressive(normal[..., 0], kept)
    # The shadowing's normals come along for nothing: numpy is slow on parts of a short axis.
    waves = autoregressive(normal, jakes_correlation(settings.walking_mps, settings.slot_s))
    power = reduce(np.add, np.moveaxis(waves**2, -1, 0)[1:]) / (2 * ANTENNAS)
    gain: Floats = 10 * np.log10(power) - shadowing_db - loss_db[:, None]
    return gain


def autoregressive(normal: NDArray[np.floating], correlation: float) -> NDArray[np.floating]:
    """Stationary Gauss-Markov sequences of unit variance along axis 1, out of independent normals.

    x' = rho x + sqrt(1 - rho^2) w
    """
    sequence = sqrt(1 - correlation**2) * normal
    sequence[:, 0] = normal[:, 0]
    for slot in range(1, normal.shape[1]):
        sequence[:, slot] += correlation * sequence[:, slot - 1]
    return sequence
