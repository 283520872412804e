"""Whether surrogate and judges still agree, above all where the policy goes.

A policy that is optimised against a surrogate seeks the surrogate's errors: it ends up where the
surrogate promises more than judges would give (reward hacking). So some judgments are never taught:
a few of anything at random, and, again and again, a few of what the policy now likes. The alarm
fires when the surrogate errs more on the latter than on the former by more than chance.

The test: Welch's, one-sided, at ALARM_LEVEL for a whole run, shared out evenly (Bonferroni) over
its looks and over two questions: does the surrogate promise more, relative to the judges, where the
policy goes; and is it simply further off there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import stats

from allocator.arrays import Floats

ALARM_LEVEL = 0.01
"""Probability that a run whose surrogate errs everywhere alike raises an alarm."""

QUESTIONS = 2
FEWEST = 5
"""Judgments of either kind without which nothing is tested."""

NORMAL_95 = 1.96


@dataclass(frozen=True)
class HeldOut:
    """(N,) judgments that were not taught, what the surrogate says of them, and how surely."""

    predicted: Floats
    sd: Floats
    judged: Floats

    @property
    def promised(self) -> Floats:
        """(N,) how much more the surrogate says than the judges."""
        return self.predicted - self.judged

    def __len__(self) -> int:
        return len(self.judged)


@dataclass(frozen=True)
class SurrogateError:
    """How far the surrogate is from `judgments` that were held out; None where too few tell.

    promised: mean of prediction less judgment. explained: R2, the share of their variance.
    rank_correlation: Spearman's. within: share of judgments inside the surrogate's 95 % interval.
    """

    judgments: int
    rmse: float | None
    promised: float | None
    explained: float | None
    rank_correlation: float | None
    within: float | None

    @property
    def told(self) -> str:
        """In a few words."""
        rmse = "too few to tell" if self.rmse is None else f"RMSE {self.rmse:.3f}"
        return f"{self.judgments} held-out judgments ({rmse})"

    @classmethod
    def of(cls, held_out: HeldOut) -> Self:
        """Of these judgments."""
        count = len(held_out)
        if count < FEWEST:
            return cls(count, None, None, None, None, None)
        squared = held_out.promised**2
        differ = held_out.judged.std() > 0 and held_out.predicted.std() > 0
        ranks = stats.spearmanr(held_out.predicted, held_out.judged) if differ else None
        return cls(
            judgments=count,
            rmse=float(np.sqrt(squared.mean())),
            promised=float(held_out.promised.mean()),
            explained=float(1 - squared.mean() / held_out.judged.var()) if differ else None,
            rank_correlation=float(ranks.statistic) if ranks is not None else None,
            within=float((np.abs(held_out.promised) <= NORMAL_95 * held_out.sd).mean()),
        )


@dataclass(frozen=True)
class Look:
    """One look at both kinds of held-out judgments. p: of each question; None if too few.

    shown: pictures shown to users so far. level: what p is held against.
    """

    shown: int
    at_random: SurrogateError
    at_policy: SurrogateError
    p_promises_more: float | None
    p_errs_more: float | None
    level: float

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` took apart."""
        errors = {name: SurrogateError(**told[name]) for name in ("at_random", "at_policy")}
        return cls(**{**told, **errors})

    @property
    def alarm(self) -> bool:
        """Whether surrogate and judges have parted."""
        return any(
            p is not None and p < self.level for p in (self.p_promises_more, self.p_errs_more)
        )


def look(at_random: HeldOut, at_policy: HeldOut, *, shown: int, looks: int) -> Look:
    """Compare; `looks` is how many of them a whole run has."""
    return Look(
        shown=shown,
        at_random=SurrogateError.of(at_random),
        at_policy=SurrogateError.of(at_policy),
        p_promises_more=_p_of_more(at_policy.promised, at_random.promised),
        p_errs_more=_p_of_more(np.abs(at_policy.promised), np.abs(at_random.promised)),
        level=ALARM_LEVEL / (looks * QUESTIONS),
    )


def _p_of_more(here: Floats, elsewhere: Floats) -> float | None:
    """Of Welch's test that the mean here is not greater; None if nothing can be said."""
    if min(len(here), len(elsewhere)) < FEWEST or here.std() == elsewhere.std() == 0:
        return None
    return float(stats.ttest_ind(here, elsewhere, equal_var=False, alternative="greater").pvalue)
