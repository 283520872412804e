"""From answer sheets to the report of an interview. Pure but for chance, which has a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from qoe_service.interview import figures
from qoe_service.interview.administering import Sheets
from qoe_service.interview.figures import Array
from qoe_service.interview.instruments import Instrument
from qoe_service.interview.stored import StoredInterview
from qoe_service.interview.verdict import (
    Finding,
    PanelFigures,
    TraitFigures,
    Verdict,
    overall,
    panel_finding,
    trait_finding,
)
from qoe_service.judges.tier_map_file import JudgeIdentity
from qoe_service.norms import norm
from qoe_service.persona import TRAITS, Persona
from qoe_service.statistics.intervals import Interval
from qoe_service.wire import Wire

SEED = 0
"""Of the bootstrap."""

Five = tuple[float | None, ...]


class TraitReport(Wire):
    """One trait: figures and what they come to."""

    figures: TraitFigures
    finding: Finding


class Profile(Wire):
    """One persona's scale means, 1 to 5, and T-scores among those interviewed, by trait."""

    persona: str
    scores: Five
    t_scores: Five


class Interview(Wire):
    """An interview, and what came of it.

    correlations: scored traits, a row each, against the traits that personas are told, in columns.
    left_out: statements that a persona was not read, for its own text has their words.
    t_reference: whose mean and SD the T-scores have; no norm of these instruments is at hand.
    """

    judge: JudgeIdentity
    extraction: str
    instrument: str
    template: str
    verdict: Verdict
    panel: PanelFigures
    finding: Finding
    traits: tuple[TraitReport, ...]
    correlations: tuple[Five, ...]
    profiles: tuple[Profile, ...]
    t_reference: str = "the interviewed personas"
    left_out: Mapping[str, tuple[str, ...]]
    failures: Mapping[str, int]
    questions: int
    cached: int
    calls: int
    tokens: int


def report(
    judge: JudgeIdentity,
    instrument: Instrument,
    personas: Sequence[Persona],
    sheets: Sheets,
    *,
    template: str,
) -> Interview:
    """What an interview says."""
    table = _Table(instrument, personas, sheets)
    traits = tuple(
        TraitReport(figures=each, finding=trait_finding(each)) for each in table.trait_figures()
    )
    panel = table.panel_figures()
    finding = panel_finding(panel)
    return Interview(
        judge=judge,
        extraction=sheets.extraction,
        instrument=instrument.id,
        template=template,
        verdict=overall([finding, *(trait.finding for trait in traits)], sheets.answered),
        panel=panel,
        finding=finding,
        traits=traits,
        correlations=tuple(map(tuple, figures.correlation_matrix(table.scores, table.z))),
        profiles=_profiles(personas, table.scores),
        left_out=sheets.left_out,
        failures=sheets.failures,
        questions=sheets.questions,
        cached=sheets.cached,
        calls=sheets.calls,
        tokens=sheets.tokens,
    )


def to_be_stored(interview: Interview, day: date) -> StoredInterview | None:
    """What is to be kept of an interview; `None` if it says nothing."""
    if interview.verdict is Verdict.TOO_FEW:
        return None
    of_traits = (
        f"{trait.figures.trait}: {reason}"
        for trait in interview.traits
        for reason in trait.finding.reasons
    )
    return StoredInterview(
        judge=interview.judge,
        verdict="holds" if interview.verdict is Verdict.HOLDS else "fails",
        reasons=(*interview.finding.reasons, *of_traits),
        instrument=interview.instrument,
        template=interview.template,
        personas=interview.panel.personas,
        day=day,
    )


class _Table:
    """The answers of both administrations with what the personas are told."""

    def __init__(self, instrument: Instrument, personas: Sequence[Persona], sheets: Sheets) -> None:
        self._instrument = instrument
        self._first, again = sheets.answers
        self._answered = sheets.answered
        self.z = np.array([persona.traits.vector() for persona in personas])
        self._as_people = self.z * np.array([_points_per_sd(persona.norm) for persona in personas])
        self.scores = figures.scale_scores(self._first, instrument)
        self._rescored = figures.scale_scores(again, instrument)
        *self._gaps, self._mean_gap = figures.gap_intervals(
            self.scores, self.z, np.random.default_rng(SEED)
        )

    def trait_figures(self) -> list[TraitFigures]:
        return [self._trait(number, gap) for number, gap in enumerate(self._gaps)]

    def panel_figures(self) -> PanelFigures:
        agreeing, pleasing = figures.style_shares(self._first, self._instrument)
        told = figures.told_answers(self.z, self._instrument)
        return PanelFigures(
            personas=len(self.z),
            answered=self._answered,
            gap=self._mean_gap,
            identical=figures.identical_share(self._first),
            agreeing=agreeing,
            pleasing=pleasing,
            pleasing_told=figures.style_shares(told, self._instrument)[1],
            dimensions=figures.effective_dimensions(self.scores),
            dimensions_told=figures.effective_dimensions(self.z),
        )

    def _trait(self, number: int, gap: Interval | None) -> TraitFigures:
        scored, told = self.scores[:, number], self.z[:, number]
        mine = self._instrument.traits == number
        return TraitFigures(
            trait=TRAITS[number],
            personas=int(np.isfinite(scored).sum()),
            told_apart=bool(told.std() > figures.STILL),
            convergent=figures.correlation_with_interval(scored, told),
            discriminant=self._discriminant(number),
            gap=gap,
            alpha=figures.cronbach_alpha(figures.keyed(self._first, self._instrument)[:, mine]),
            retest=figures.correlation_with_interval(scored, self._rescored[:, number]),
            range_used=figures.range_used(scored),
            spread_ratio=_ratio(figures.spread(scored), figures.spread(self._as_people[:, number])),
        )

    def _discriminant(self, number: int) -> float | None:
        scored = self.scores[:, number]
        others = [
            figures.correlation(scored, told)
            for other, told in enumerate(self.z.T)
            if other != number
        ]
        known = [abs(r) for r in others if r is not None]
        return float(np.mean(known)) if known else None


def _points_per_sd(name: str) -> Array:
    """One SD of each trait (5,) of a norm, in points of a scale from 1 to 5."""
    published = norm(name)
    lowest, highest = published.scale
    points = figures.HIGHEST - figures.LOWEST
    return np.asarray(published.reference.sd * points / (highest - lowest))


def _ratio(found: float | None, expected: float | None) -> float | None:
    if found is None or expected is None or expected < figures.STILL:
        return None
    return found / expected


def _profiles(personas: Sequence[Persona], scores: Array) -> tuple[Profile, ...]:
    rows = zip(personas, scores, figures.t_scores(scores), strict=True)
    return tuple(
        Profile(persona=persona.id, scores=_nullable(row), t_scores=_nullable(t))
        for persona, row, t in rows
    )


def _nullable(row: Array) -> Five:
    return tuple(None if value != value else float(value) for value in row)
