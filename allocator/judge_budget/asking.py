"""Which questions are worth a judge call: those whose answers tell most about what matters.

Each question is worth the variance that its answer takes from what one wants to know, summed over
the places that matter (Cohn, Ghahramani and Jordan 1996, "Active learning with statistical
models"). A place that is uncertain but where nobody goes is worth little, and so is one that is
visited and known.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from allocator.arrays import Floats, Indices

ROUNDS = 8
"""In which the calls made during training are spread over it."""

RANDOM_AUDIT, POLICY_AUDIT = 0.05, 0.1
"""Shares of a budget that are held out."""

BEFORE_TRAINING = 0.5
"""Of the calls that teach."""


@dataclass(frozen=True)
class Quota:
    """How many of a budget's calls go where; together they are all of it.

    random_audit, survey: before training. rounds: (ROUNDS,) taught during it. policy_audits:
    (ROUNDS + 1,) held out before each round, and at the end.
    """

    random_audit: int
    survey: int
    rounds: tuple[int, ...]
    policy_audits: tuple[int, ...]

    @classmethod
    def of(cls, calls: int) -> Self:
        """Of a whole budget."""
        random_audit, policy_audit = round(RANDOM_AUDIT * calls), round(POLICY_AUDIT * calls)
        teaching = calls - random_audit - policy_audit
        survey = round(BEFORE_TRAINING * teaching)
        return cls(
            random_audit, survey, _even(teaching - survey, ROUNDS), _even(policy_audit, ROUNDS + 1)
        )


def _even(total: int, parts: int) -> tuple[int, ...]:
    """Nearly equal whole numbers with this sum."""
    ends = [total * part // parts for part in range(parts + 1)]
    return tuple(after - before for before, after in pairwise(ends))


def most_telling(among: Floats, about: Floats, noise_sd: Floats, count: int) -> Indices:
    """Which questions to ask, the most telling first; each is chosen knowing those before it.

    Args:
        among: (N, N) covariances of N possible questions, as far as nothing is known yet.
        about: (N, M) their covariances with the M places that matter.
        noise_sd: (N,) how far an answer scatters about what is asked for.
        count: how many to choose, at most N.
    """
    among, about = among.copy(), about.copy()
    open_ones = np.ones(len(among), dtype=bool)
    chosen = []
    for _ in range(min(count, len(among))):
        variance = np.maximum(np.diag(among), 0.0) + noise_sd**2
        gain = np.where(open_ones, (about**2).sum(axis=1) / variance, -1.0)
        best = int(gain.argmax())
        chosen.append(best)
        open_ones[best] = False
        # What its answer will explain is no longer open.
        share = among[:, best] / variance[best]
        about -= np.outer(share, about[best])
        among -= np.outer(share, among[best])
    return np.array(chosen, dtype=np.intp)
