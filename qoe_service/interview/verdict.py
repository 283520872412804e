"""Figures held against limits: does the judge play its personas? Pure.

A figure with an interval fails where all of the interval is below the limit, holds where the figure
itself is above it, and is open between: then there were too few personas to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from qoe_service.interview.figures import ENOUGH
from qoe_service.statistics.intervals import Interval
from qoe_service.wire import Wire

LEAST_CONVERGENT = 0.7
LEAST_GAP = 0.3
"""Our choice, from the models that Serapio-García et al. examined (Nature Machine Intelligence,
2025; mean r and mean gap): Mixtral, Llama-2-70B-chat, GPT-4o mini and better ones, of 0.80 and 0.38
or more, would pass; GPT-3.5 Turbo (0.84, 0.28) and Flan-PaLM 8B (0.69, 0.23) would not."""

LEAST_ALPHA = 0.6
"""People reach 0.65 to 0.77 with the four statements of the Mini-IPIP."""

LEAST_RETEST = 0.7
"""People reach 0.80 to 0.82 after weeks; a judge is only asked in other words."""

LEAST_SPREAD = 0.5
"""Times as far as people with the same z-scores spread."""

MOST_IDENTICAL = 0.2
"""Share of personas whose answers are somebody else's, statement for statement."""

MOST_STYLE = 0.25
"""Share of the variance that may be a manner of answering, beyond what the personas explain."""

LEAST_ANSWERED = 0.9


class Verdict(StrEnum):
    """What came of an interview."""

    HOLDS = "holds"
    FAILS = "fails"
    TOO_FEW = "too few to say"


class Finding(Wire):
    """A verdict, and why it is not that all holds."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


class TraitFigures(Wire):
    """How well one trait of the personas is played.

    convergent: r of the scored trait with the file's z-scores. discriminant: its mean |r| with the
    z-scores of the other traits. gap: the one less the other, over those scored in all traits.
    range_used: of the answers' scale. spread_ratio: the SD of the scores to that which people of
    these z-scores have by the norm, rescaled to the answers' scale.
    """

    trait: str
    personas: int
    told_apart: bool
    convergent: Interval | None
    discriminant: float | None
    gap: Interval | None
    alpha: Interval | None
    retest: Interval | None
    range_used: float | None
    spread_ratio: float | None


class PanelFigures(Wire):
    """How the personas differ, all traits together.

    identical: share of personas who answer as somebody else does. agreeing, pleasing: shares of
    the variance of answers that are saying yes and looking good; pleasing_told: the latter in the
    personas' own z-scores. dimensions: how many traits vary by themselves, 1 to 5, in the scores
    and in the z-scores.
    """

    personas: int
    answered: float
    gap: Interval | None
    identical: float
    agreeing: float | None
    pleasing: float | None
    pleasing_told: float | None
    dimensions: float | None
    dimensions_told: float | None


@dataclass(frozen=True)
class _Held:
    """One figure against its limit; `fails` is `None` where it is too uncertain."""

    fails: bool | None
    said: str


def trait_finding(figures: TraitFigures) -> Finding:
    """Whether a trait is played as it is told."""
    if figures.personas < ENOUGH:
        said = f"{figures.personas} personas have a score; {ENOUGH} are needed"
        return Finding(verdict=Verdict.TOO_FEW, reasons=(said,))
    if not figures.told_apart:
        said = "the personas do not differ in it"
        return Finding(verdict=Verdict.TOO_FEW, reasons=(said,))
    if figures.convergent is None:
        said = "all personas answer alike, whatever they are told"
        return Finding(verdict=Verdict.FAILS, reasons=(said,))
    return _finding(_held(figures))


def panel_finding(figures: PanelFigures) -> Finding:
    """Whether the personas are people of their own rather than one manner of answering."""
    if figures.personas < ENOUGH:
        said = f"{figures.personas} personas were interviewed; {ENOUGH} are needed"
        return Finding(verdict=Verdict.TOO_FEW, reasons=(said,))
    if figures.answered < LEAST_ANSWERED:
        said = f"only {figures.answered:.0%} of the answers came"
        return Finding(verdict=Verdict.TOO_FEW, reasons=(said,))
    return _finding(_held_together(figures))


def overall(findings: Iterable[Finding], answered: float) -> Verdict:
    """It fails where anything fails, and holds where all holds; a share must be answered at all."""
    verdicts = {finding.verdict for finding in findings}
    if answered < LEAST_ANSWERED:
        return Verdict.TOO_FEW
    worst_first = (Verdict.FAILS, Verdict.TOO_FEW, Verdict.HOLDS)
    return next(verdict for verdict in worst_first if verdict in verdicts)


def _held(figures: TraitFigures) -> Iterator[_Held]:
    yield _at_least(figures.convergent, LEAST_CONVERGENT, "r with what it is told")
    yield _at_least(figures.gap, LEAST_GAP, "gap to the other traits")
    yield _at_least(figures.alpha, LEAST_ALPHA, "alpha")
    yield _at_least(figures.retest, LEAST_RETEST, "retest r")
    ratio = figures.spread_ratio
    if ratio is not None:
        said = f"personas spread {ratio:.2f} times as far as people, not {LEAST_SPREAD}"
        yield _Held(ratio < LEAST_SPREAD, said)


def _held_together(figures: PanelFigures) -> Iterator[_Held]:
    yield _at_least(figures.gap, LEAST_GAP, "mean gap between traits")
    yield _Held(
        figures.identical > MOST_IDENTICAL,
        f"{figures.identical:.0%} of the personas answer exactly as another one",
    )
    if figures.agreeing is not None:
        said = f"{figures.agreeing:.0%} of the variance is saying yes to everything, or no"
        yield _Held(figures.agreeing > MOST_STYLE, said)
    if figures.pleasing is not None and figures.pleasing_told is not None:
        yield _Held(
            figures.pleasing - figures.pleasing_told > MOST_STYLE,
            f"{figures.pleasing:.0%} of the variance is looking good, "
            f"{figures.pleasing_told:.0%} of what the personas are told",
        )


def _at_least(found: Interval | None, limit: float, what: str) -> _Held:
    if found is None:
        return _Held(None, f"{what} cannot be told")
    said = f"{what} {found.point:.2f} ({found.low:.2f} to {found.high:.2f}), not {limit}"
    if found.point >= limit:
        return _Held(False, said)
    return _Held(True if found.high < limit else None, said)


def _finding(held: Iterator[_Held]) -> Finding:
    flaws = [each for each in held if each.fails is not False]
    if not flaws:
        return Finding(verdict=Verdict.HOLDS)
    verdict = Verdict.FAILS if any(flaw.fails for flaw in flaws) else Verdict.TOO_FEW
    return Finding(verdict=verdict, reasons=tuple(flaw.said for flaw in flaws))
