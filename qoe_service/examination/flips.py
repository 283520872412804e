"""Counterfactual flips: one trait raised by two SD, all else equal; does liking follow research?

Every finding that was replicated says that people with more of a trait like pictures with more of
a feature more, or less. So pairs of pictures that differ in the feature are judged by pairs of
people who differ in the trait, and the gap that the flip opens between the pictures is measured:

    change = (more - less of the feature, by the high pole) - (the same, by the low pole)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Literal

import numpy as np

from qoe_service.examination.figures import Array, clopper_pearson, margin
from qoe_service.examination.flip_pictures import NOT_DRAWN, Pair, pairs_of
from qoe_service.examination.hearing import Hearing, hear
from qoe_service.judges import Judge
from qoe_service.judges.evidence import Effect, effects
from qoe_service.personas import Persona
from qoe_service.schemas import TRAITS, Traits, Wire

POLE_Z = 1.0
"""The flip leads from one SD below the mean to one above; the other traits stay at the mean."""

PEOPLE = (
    ("Robin Hale", "Lives in a terraced house near the river."),
    ("Kim Sander", "Works in a town of middling size."),
    ("Alex Moreau", "Rents a flat on the third floor."),
    ("Sam Okoro", "Takes the bus to work on most days."),
    ("Jo Lindqvist", "Has lived in the same street for ten years."),
    ("Toni Ferrara", "Shares a garden with two neighbours."),
    ("Chris Novak", "Keeps a bicycle in the hall."),
    ("Lee Tanaka", "Moved house last spring."),
)
"""Of whom nothing is known that has to do with pictures. Several, for what a judge makes of one
person on one day is not all owed to the trait."""


class Verdict(StrEnum):
    """Where the interval of a change lies. Of one pair there is none, and all is unclear."""

    AS_EXPECTED = "as expected"
    CONTRARY = "contrary"
    UNCLEAR = "unclear"


class Flip(Wire):
    """What flipping one trait did to the liking of one feature.

    change: points of the 1-5 scale by which the pictures with the feature gained on those without,
    with Student's 95 % interval over the pairs; null if no pair was judged. pairs_right: how many
    pairs moved as expected. verdict: as expected, or contrary, if the whole interval is; null if
    nothing was asked. reason: why pairs are missing.
    """

    feature: str
    trait: str
    expected: Literal["more", "less"]
    source: str
    change: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    pairs_right: int = 0
    verdict: Verdict | None = None
    reason: str | None = None


class FlipReport(Wire):
    """The flips of one judge, a row per replicated finding.

    hits: findings met as expected; what is unclear is no hit. hit_rate: their share of those asked,
    with the exact 95 % interval of Clopper and Pearson over findings; null if none was asked.
    """

    tier: str
    judge: str
    revision: str
    flips: tuple[Flip, ...]
    asked: int
    hits: int
    hit_rate: float | None
    low: float | None
    high: float | None
    judgments: int
    calls: int
    tokens: int

    @property
    def good(self) -> bool:
        """Whether there was something to ask, and every answer was as research says."""
        return self.asked > 0 and self.hits == self.asked


def judgments_for(pairs: int, people: int) -> int:
    """How many judgments the flips of one judge take."""
    askable = sum(finding.feature not in NOT_DRAWN for finding in replicated())
    return askable * 2 * pairs * 2 * people


def flip_traits(
    judge: Judge,
    *,
    pairs: int,
    people: int,
    seconds: float,
    advance: Callable[[int], object] = lambda _: None,
) -> FlipReport:
    """Flip each trait for every replicated finding about it; a request may take so many seconds.

    Args:
        judge: who is examined; should remember nothing.
        pairs: pictures of each feature, with and without.
        people: how many play each pole, at most `len(PEOPLE)`.
        advance: told the judgments made since the last call.
    """
    flips: list[Flip] = []
    heard: list[Hearing] = []
    for finding in replicated():
        if finding.feature in NOT_DRAWN:
            flips.append(_flip(finding, reason=NOT_DRAWN[finding.feature]))
            continue
        found = _asked(judge, finding, pairs_of(finding.feature, pairs), people, seconds)
        heard.append(found)
        flips.append(_measured(finding, found))
        advance(found.scores.size)
    asked = [flip.verdict for flip in flips if flip.verdict is not None]
    hits = asked.count(Verdict.AS_EXPECTED)
    low, high = clopper_pearson(hits, len(asked)) if asked else (None, None)
    return FlipReport(
        tier=judge.tier,
        judge=judge.name,
        revision=judge.revision,
        flips=tuple(flips),
        asked=len(asked),
        hits=hits,
        hit_rate=hits / len(asked) if asked else None,
        low=low,
        high=high,
        judgments=sum(each.scores.size for each in heard),
        calls=sum(each.calls for each in heard),
        tokens=sum(each.tokens for each in heard),
    )


def replicated() -> tuple[Effect, ...]:
    """The findings seen in three or more samples."""
    return tuple(effect for effect in effects() if effect.replicated)


def poles(trait: str, people: int) -> tuple[Persona, ...]:
    """`people` at the low pole of a trait, then the same at its high pole."""
    return tuple(_person(trait, z, number) for z in (-POLE_Z, POLE_Z) for number in range(people))


def _person(trait: str, z: float, number: int) -> Persona:
    name, about = PEOPLE[number]
    level = {each: z if each == trait else 0.0 for each in TRAITS}
    return Persona(
        id=name.lower().replace(" ", "-"),
        name=name,
        traits=Traits(**level),
        norm="sapa-bfi25-adults",
        about=about,
    )


def _asked(
    judge: Judge, finding: Effect, pairs: Sequence[Pair], people: int, seconds: float
) -> Hearing:
    cases = [pair.more for pair in pairs] + [pair.less for pair in pairs]
    return hear(judge, cases, poles(finding.trait, people), seconds)


def changes(scores: Array) -> Array:
    """Per pair what the flip did, NaN where anybody's opinion is missing.

    Args:
        scores: (2 pairs, 2 people), pictures with more of the feature first, low poles first.
    """
    rows, columns = scores.shape
    by_pole = scores.reshape(2, rows // 2, 2, columns // 2).mean(axis=3)
    gap = by_pole[0] - by_pole[1]
    return np.asarray(gap[:, 1] - gap[:, 0])


def _measured(finding: Effect, heard: Hearing) -> Flip:
    found = changes(heard.scores)
    whole = found[np.isfinite(found)]
    if whole.size == 0:
        return _flip(finding, reason=heard.reason)
    mean, half = float(whole.mean()), margin(whole)
    missing = len(found) - len(whole)
    reason = f"{missing} pairs not judged: {heard.reason}" if missing else None
    return _flip(finding, reason=reason).model_copy(
        update={
            "change": mean,
            "low": mean - half if np.isfinite(half) else None,
            "high": mean + half if np.isfinite(half) else None,
            "pairs": len(whole),
            "pairs_right": int((whole * finding.effect > 0).sum()),
            "verdict": _verdict(mean - half, mean + half, finding.effect),
        }
    )


def _verdict(low: float, high: float, effect: float) -> Verdict:
    if low > 0 or high < 0:
        return Verdict.AS_EXPECTED if low * effect > 0 else Verdict.CONTRARY
    return Verdict.UNCLEAR


def _flip(finding: Effect, *, reason: str | None) -> Flip:
    return Flip(
        feature=finding.feature,
        trait=finding.trait,
        expected="more" if finding.effect > 0 else "less",
        source=finding.source,
        reason=reason,
    )
