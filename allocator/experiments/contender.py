"""Who takes part in a comparison: a learner, and how long it may learn."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A learner that gets `times` times the slots of experience that others get.

    Cheap learners given more slots are compared at equal wall-clock.
    """

    learner: str
    times: int = 1

    @classmethod
    def parse(cls, written: str) -> Contender:
        """`ddpg`, or `ddpg:3` for three times the slots; raises ValueError for anything else."""
        match = re.fullmatch(r"([\w-]+)(?::([1-9]\d*))?", written)
        if match is None:
            raise ValueError(f"{written!r} is no contender: write a learner such as ddpg or ddpg:3")
        return cls(match[1], int(match[2] or 1))

    @property
    def name(self) -> str:
        """In files and tables."""
        return self.learner if self.times == 1 else f"{self.learner}-x{self.times}"
