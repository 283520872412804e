"""How sure the fake judge is: a discretised bell over the five levels, whose mean is the score.

p(k) is proportional to exp(-(k - m)^2 / (2 SD^2)) for k = 1..5. With m = score the mean would be
right in the middle only, since the bell is cut off at 1 and 5. This is an exponential family in m
with d mean / d m = variance / SD^2 > 0, so exactly one m gives the mean asked for: it is found by
bisection, and the expected value is the score everywhere that scores are, not only in the middle.
"""

from __future__ import annotations

import math

LEVELS = (1, 2, 3, 4, 5)

WORDS = ("bad", "poor", "fair", "good", "excellent")
"""The levels in words, lowest first (ITU-T P.800)."""

SD = 0.6
"""Of the bell before it is cut off."""

LOWEST, HIGHEST = 1.02, 4.98
"""A mean of exactly 1 or 5 needs a bell infinitely far away."""


def level_probabilities(score: float) -> tuple[float, ...]:
    """The probability of each level, with `score` as their mean (kept within LOWEST, HIGHEST)."""
    score = min(HIGHEST, max(LOWEST, score))
    low, high = -2.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        if expected_level(_bell(middle)) < score:
            low = middle
        else:
            high = middle
    return _bell((low + high) / 2)


def expected_level(probabilities: tuple[float, ...]) -> float:
    """The mean level."""
    return sum(level * share for level, share in zip(LEVELS, probabilities, strict=True))


def _bell(middle: float) -> tuple[float, ...]:
    weights = [math.exp(-((level - middle) ** 2) / (2 * SD**2)) for level in LEVELS]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
