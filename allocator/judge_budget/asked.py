"""What judges were asked, what for, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np

from allocator.arrays import Floats, Indices


class Purpose(IntEnum):
    """What a judgment was asked for. Only the first are taught."""

    TEACHING = 0
    RANDOM_AUDIT = 1
    POLICY_AUDIT = 2


@dataclass(frozen=True)
class Asked:
    """(N,) in the order of asking: places in the table, opinions (NaN: failed) and purposes."""

    places: Indices
    opinions: Floats
    purposes: Indices

    @classmethod
    def nothing(cls) -> Self:
        """At first."""
        return cls(np.empty(0, np.intp), np.empty(0), np.empty(0, np.intp))

    def plus(self, places: Indices, opinions: Floats, purpose: Purpose) -> Self:
        """With these, too."""
        return type(self)(
            np.concatenate([self.places, places]),
            np.concatenate([self.opinions, opinions]),
            np.concatenate([self.purposes, np.full(len(places), purpose)]),
        )

    def answered(self, purpose: Purpose) -> tuple[Indices, Floats]:
        """Places and opinions asked for this purpose, those that failed left out."""
        kept = (self.purposes == purpose) & np.isfinite(self.opinions)
        return self.places[kept], self.opinions[kept]

    def first(self, count: int) -> Self:
        """The first of them."""
        return type(self)(self.places[:count], self.opinions[:count], self.purposes[:count])

    def __len__(self) -> int:
        return len(self.places)
