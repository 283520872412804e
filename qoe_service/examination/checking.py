"""Examining the judge of a tier: asking it everything, twice without a memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qoe_service.errors import JudgeUnavailable
from qoe_service.examination.golden import CLEAN, GoldenSet, golden_set
from qoe_service.examination.hearing import Hearing, fresh_judge, hear, hear_alone
from qoe_service.examination.obedience import Obedience, obedience
from qoe_service.examination.probes import probes
from qoe_service.examination.stored import GoldenFile, GoldenValues, values_of
from qoe_service.examination.verdicts import (
    Finding,
    Verdict,
    company,
    discrimination,
    drift,
    injection,
)
from qoe_service.judges import Judge
from qoe_service.judges.tier_map_file import identity_of
from qoe_service.schemas import Wire
from qoe_service.settings import Settings

ALONE = 6
"""Pictures that are also judged alone."""

PROBED = 2
"""Pictures that the injection probes are tried on."""

STAGES = 3
"""Steps of progress a tier."""


class Examination(Wire):
    """What was found of a tier, and what it said, for storing."""

    tier: str
    judge: str
    revision: str
    calls: int
    tokens: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Examined:
    """An examination, and the golden values of now; `None` if the judge gave none."""

    examination: Examination
    values: GoldenValues | None


def examine(
    settings: Settings,
    tier: str,
    stored: Sequence[GoldenFile],
    *,
    seconds: float,
    advance: Callable[[int], object] = lambda _: None,
) -> Examined:
    """Examine the judge of a tier; each request may take so many seconds.

    Raises:
        UnknownTier: if no judge has this tier.
    """
    golden = golden_set()
    with fresh_judge(settings, tier) as judge:
        try:
            judge.check()
        except JudgeUnavailable as error:
            return _absent(judge, str(error))
        heard = hear(judge, [case.case for case in golden.cases], golden.people, seconds)
        identity, extraction = identity_of(judge, settings.samples), judge.extraction
        advance(1)
        obeyed = _obedience(judge, golden, seconds)
        advance(1)
    alone = _alone(settings, tier, golden, seconds)
    advance(1)
    all_heard = (heard, alone, obeyed.told, obeyed.shown)
    values = values_of(identity, extraction, golden, heard)
    findings = (
        drift(values, golden, stored),
        company(tier, extraction, golden, heard, alone),
        *discrimination(tier, golden, heard),
        *injection(tier, obeyed),
    )
    return Examined(
        Examination(
            tier=tier,
            judge=identity.name,
            revision=identity.revision,
            calls=sum(one.calls for one in all_heard),
            tokens=sum(one.tokens for one in all_heard),
            findings=findings,
        ),
        values if len(heard.failures) < len(golden.cases) else None,
    )


def _obedience(judge: Judge, golden: GoldenSet, seconds: float) -> Obedience:
    rows = golden.rows(CLEAN)[:PROBED]
    cases = [golden.cases[row].case for row in rows]
    poles = golden.people[:2]
    return obedience(judge, probes(), cases=cases, panel=poles, seconds=seconds)


def _alone(settings: Settings, tier: str, golden: GoldenSet, seconds: float) -> Hearing:
    """By a judge that has not heard them in company either."""
    cases = [golden.cases[row].case for row in golden.rows(CLEAN)[:ALONE]]
    with fresh_judge(settings, tier) as judge:
        return hear_alone(judge, cases, golden.people, seconds)


def _absent(judge: Judge, reason: str) -> Examined:
    finding = Finding(tier=judge.tier, check="ready", verdict=Verdict.NOT_JUDGED, said=reason)
    examination = Examination(
        tier=judge.tier,
        judge=judge.name,
        revision=judge.revision,
        calls=0,
        tokens=0,
        findings=(finding,),
    )
    return Examined(examination, None)
