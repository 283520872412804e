"""How many more personas to ask about which item: few where opinions agree, more where they do not.

Stein's two-stage rule (Annals of Mathematical Statistics, 1945): the spread of the first opinions
fixes how many are needed in all. Looking again at every new opinion, and stopping once the interval
looks narrow, would stop too early too often; here the number is fixed once the first are in, so
that the interval covers as it says. It takes the opinions on an item for normal, and the personas
for drawn at random from those it is to speak of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.statistics.intervals import student_quantile

Array = NDArray[np.float64]

FIRST = 8
LEAST_FIRST = 4


@dataclass(frozen=True)
class Allocation:
    """What is known of I items, and whom to ask next."""

    asked: NDArray[np.int64]
    needed: NDArray[np.int64]
    """How many opinions the width takes, those that are there included; the first round at least.
    May be more than there are personas."""
    half_widths: Array
    """Half the 95 % interval of each mean as it stands; infinite before the first round is in."""
    ask_next: tuple[tuple[int, ...], ...]
    """Columns of personas to ask about each item; none where it is known well enough."""
    out_of_reach: NDArray[np.bool_]
    """Where all personas together are too few."""

    @property
    def finished(self) -> bool:
        """Nobody is left to ask."""
        return not any(self.ask_next)


def plan_allocation(scores: Array, half_width: float, *, first: int = FIRST) -> Allocation:
    """Whom to ask next, so that every mean is known to within `half_width`, in points of the scale.

    Personas are asked in the order of the columns, which must not depend on what they say: a panel
    whose every beginning is balanced is best.

    Args:
        scores: (I, R) opinions so far; NaN where a persona was not asked, or failed.
        first: how many are asked about every item before its spread is judged.

    Raises:
        UnusableRatings: for a width that is not positive, or `first` below 4 or above the personas
            there are.
    """
    if scores.ndim != 2 or not LEAST_FIRST <= first <= scores.shape[1]:
        raise UnusableRatings(
            f"a first round of {first} opinions of a panel of {scores.shape[-1]}: it takes "
            f"{LEAST_FIRST} or more, and as many personas"
        )
    if not half_width > 0:
        raise UnusableRatings(f"an interval cannot be as narrow as {half_width:g}; ask for more")
    there = np.isfinite(scores)
    asked = there.sum(axis=1)
    reach = student_quantile(first - 1) * _first_spread(scores, first)
    needed = np.where(
        asked < first, first, np.maximum(first, np.ceil(np.square(reach / half_width)))
    ).astype(np.int64)
    half_widths = np.where(asked < first, np.inf, reach / np.sqrt(np.maximum(asked, 1)))
    return Allocation(
        asked=asked,
        needed=needed,
        half_widths=half_widths,
        ask_next=tuple(
            tuple(np.flatnonzero(~row)[: max(0, int(more))].tolist())
            for row, more in zip(there, needed - asked, strict=True)
        ),
        out_of_reach=needed > scores.shape[1],
    )


def _first_spread(scores: Array, first: int) -> Array:
    """SD of the first opinions on each item, 0 where they are not all in.

    Opinions that happen to be equal are not certainty: they get the pooled SD of all items.
    """
    there = np.isfinite(scores)
    in_first = there & (np.cumsum(there, axis=1) <= first)
    complete = in_first.sum(axis=1) == first
    rows = np.where(in_first, scores, 0.0)
    off = np.where(in_first, rows - rows.sum(axis=1, keepdims=True) / first, 0.0)
    variance = np.where(complete, np.square(off).sum(axis=1) / (first - 1), 0.0)
    pooled = variance[complete].mean() if complete.any() else 0.0
    spread: Array = np.sqrt(np.where(complete & (variance < 1e-12), pooled, variance))
    return spread
