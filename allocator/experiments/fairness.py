"""How evenly an agent serves: the worst persona, Jain's index, and what nine in ten users get.

A user whom nobody judged is left out, never counted as a zero.
"""

from __future__ import annotations

import numpy as np

from allocator.arrays import Floats, Indices


def jain_index(user_qoe: Floats) -> Floats:
    """(..., users) QoE to (...,) Jain's index of those judged: 1 if all get the same, 1 / users if
    one gets everything; NaN if nobody was judged.

    (sum x)^2 / (n sum x^2): Jain, Chiu and Hawe, "A quantitative measure of fairness", 1984.
    """
    judged = ~np.isnan(user_qoe)
    given = np.where(judged, user_qoe, 0.0)
    count, squares = judged.sum(axis=-1), (given**2).sum(axis=-1)
    index = np.where(count > 0, 1.0, np.nan)  # all alike, also where all have nothing
    np.divide(given.sum(axis=-1) ** 2, count * squares, out=index, where=squares > 0)
    return index


def tenth_percentile(user_qoe: Floats) -> Floats:
    """(..., users) QoE to (...,) what nine in ten of those judged exceed; NaN if nobody was."""
    ordered = np.sort(user_qoe, axis=-1)  # NaN last
    judged = (~np.isnan(user_qoe)).sum(axis=-1, keepdims=True)
    place = 0.1 * np.maximum(judged - 1, 0)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(judged - 1, 0))
    low, high = (np.take_along_axis(ordered, at, axis=-1) for at in (below, above))
    between: Floats = (low + (place - below) * (high - low))[..., 0]
    return between


def by_persona(user_qoe: Floats, user_persona: Indices, personas: int) -> tuple[Floats, Floats]:
    """Each persona's mean QoE in each episode, and how many of its users were judged there.

    user_qoe: (runs, episodes, users). user_persona: (episodes, users). Both returned as
    (personas, runs, episodes); the mean is 0 where the count is.
    """
    whose = user_persona[None] == np.arange(personas)[:, None, None]  # (personas, episodes, users)
    judged = ~np.isnan(user_qoe)
    count = np.einsum("peu,reu->pre", whose, judged, dtype=np.float64)
    total = np.einsum("peu,reu->pre", whose, np.where(judged, user_qoe, 0.0))
    return total / np.maximum(count, 1), count
