"""How far opinions spread: the SOS parameter of Hossfeld, Schatz, Egger 2011."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE
from qoe_service.statistics.intervals import Interval, student_quantile

NO_ROOM = 1e-9
"""In squared points: less is rounding."""


@dataclass(frozen=True)
class SosParameter:
    """a in SOS^2 = a (-MOS^2 + 6 MOS - 5): 0 if all agree, 1 if opinions are only 1 and 5."""

    a: Interval
    items: int
    """How many items the fit rests on: those with two ratings or more."""


def sos_parameter(scores: NDArray[np.float64]) -> SosParameter:
    """The SOS parameter of ratings (I, R), by least squares over the items.

    SOS^2 is the unbiased variance of an item's ratings, and so is -MOS^2 + 6 MOS - 5 unbiased: that
    of a mean of n ratings is too small by SOS^2 / n, by which few raters who disagree would come to
    more than 1. The interval is over items like these, judged by these raters: a
    heteroscedasticity-consistent standard error (HC1) and Student's t.

    Raises:
        UnusableRatings: if fewer than two items have two ratings or more, or all mean opinions lie
            at the ends of the scale, where nothing can spread.
    """
    counts = np.isfinite(scores).sum(axis=1)
    rated = scores[counts >= 2]
    if len(rated) < 2:
        raise UnusableRatings(
            f"the SOS parameter needs two items with two ratings each; {len(rated)} has them"
        )
    variance = np.nanvar(rated, axis=1, ddof=1)
    room = _room(np.nanmean(rated, axis=1)) + variance / counts[counts >= 2]
    if room.max() < NO_ROOM:
        raise UnusableRatings("every mean opinion is 1 or 5: nothing can spread there")
    weight = float(room @ room)
    a = float(room @ variance) / weight
    off = room * (variance - a * room)
    freedom = len(rated) - 1
    error = np.sqrt(float(off @ off) * len(rated) / freedom) / weight
    reach = student_quantile(freedom) * float(error)
    return SosParameter(Interval(a, max(0.0, a - reach), min(1.0, a + reach)), len(rated))


def _room(mos: NDArray[np.float64]) -> NDArray[np.float64]:
    """-MOS^2 + 6 MOS - 5: the largest variance that opinions with this mean can have."""
    room: NDArray[np.float64] = (mos - LOWEST_SCORE) * (HIGHEST_SCORE - mos)
    return room
