"""What drawing and judging pictures costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class LoopCost:
    """What the loop has cost so far; subtract two to know what lies between."""

    requests: int = 0
    judgments: int = 0
    cached: int = 0
    failed: int = 0
    masked: int = 0
    pictures: int = 0
    denoising_steps_run: int = 0
    denoising_steps_unshared: int = 0
    generating_s: float = 0.0
    judging_s: float = 0.0

    def __add__(self, other: LoopCost) -> LoopCost:
        return LoopCost(*(a + b for a, b in zip(self._values(), other._values(), strict=True)))

    def __sub__(self, other: LoopCost) -> LoopCost:
        return LoopCost(*(a - b for a, b in zip(self._values(), other._values(), strict=True)))

    def _values(self) -> list[Any]:
        return [getattr(self, each.name) for each in fields(self)]
