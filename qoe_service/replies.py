"""From arrays of opinions to the messages of the wire contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.judges import Failure, Identity
from qoe_service.judges.ladder import Verdicts
from qoe_service.judges.scale import RANGE
from qoe_service.panel import Panel
from qoe_service.personas import Persona
from qoe_service.schemas import (
    LOWEST_SCORE,
    EffectShares,
    Judgment,
    Provenance,
    Result,
    RewardsReply,
    ScoreReply,
    Status,
    Usage,
)
from qoe_service.statistics import mean_opinion_score, variance_shares

Array = NDArray[np.float64]

REWARD_DIGITS = 6

LEAST_FOR_EFFECTS = 3
"""Of pictures and of personas: with fewer, shares of variance say nothing."""

Sources = Mapping[int, Mapping[str, Provenance]]
"""What produced a judgment, by `id` of the judge and persona."""


@dataclass(frozen=True)
class Answers:
    """What a panel of P known personas says about N items, failed ones included.

    `scores` and `errors` are (N, P) and NaN in the rows of `failures`; `judges` and `reasons` are
    `None` where no judge was asked, or where there is nothing to explain. `text_overlays` is `None`
    where there was no picture to look at, or no time.
    """

    panel: Panel
    scores: Array
    errors: Array
    failures: Mapping[int, Failure]
    judges: Sequence[Identity | None]
    reasons: Sequence[str | None]
    text_overlays: Sequence[bool | None]
    cached: NDArray[np.bool_]
    forwards: int
    tokens: int

    def usage(self) -> Usage:
        """What answering cost, counted in single judgments."""
        items, people = len(self.scores), len(self.panel.personas)
        good = items - len(self.failures)
        return Usage(
            judgments=items * len(self.panel.names),
            cached=int(self.cached.sum()) * people,
            failed=items * len(self.panel.names) - good * people,
            provider_calls=self.forwards,
            tokens=self.tokens,
        )


def answers_of(
    panel: Panel,
    verdicts: Verdicts,
    *,
    rows: Sequence[int],
    refused: Mapping[int, Failure],
    text_overlays: Mapping[int, bool | None],
) -> Answers:
    """Verdicts of the admitted items, put back between those that were refused.

    `rows` says where the admitted items stand among all, `refused` why the others were not, and
    `text_overlays` whether writing was laid over those whose picture could be read.
    """
    opinions = verdicts.opinions
    count = len(rows) + len(refused)
    failed = {rows[index]: failure for index, failure in opinions.failures.items()}
    judges: list[Identity | None] = [None] * count
    reasons: list[str | None] = [None] * count
    for row, judge, reason in zip(rows, verdicts.judges, verdicts.reasons, strict=True):
        judges[row], reasons[row] = judge, reason
    cached = np.zeros(count, dtype=bool)
    cached[list(rows)] = opinions.cached
    return Answers(
        panel=panel,
        scores=_spread(opinions.scores, rows, count),
        errors=_spread(opinions.errors, rows, count),
        failures={**refused, **failed},
        judges=judges,
        reasons=reasons,
        text_overlays=[text_overlays.get(index) for index in range(count)],
        cached=cached,
        forwards=opinions.forwards,
        tokens=opinions.tokens,
    )


def _spread(table: Array, rows: Sequence[int], count: int) -> Array:
    whole = np.full((count, table.shape[1]), np.nan)
    whole[list(rows)] = table
    return whole


def rewards_reply(answers: Answers) -> RewardsReply:
    """Numbers or nulls, no prose: what a learner needs."""
    panel = answers.panel
    rewards = np.full((len(answers.scores), len(panel.names)), np.nan)
    rewards[:, panel.columns] = np.round(_reward(answers.scores), REWARD_DIGITS)
    means: list[float | None] = [None] * len(rewards)
    good = [index for index in range(len(rewards)) if index not in answers.failures]
    if good and panel.personas:
        of_good = rewards[np.ix_(good, panel.columns)].mean(axis=1).round(REWARD_DIGITS)
        for index, mean in zip(good, of_good.tolist(), strict=True):
            means[index] = mean
    return RewardsReply(
        personas=panel.names,
        rewards=tuple(means),
        by_persona=tuple(map(tuple, _nullable(rewards))),
        statuses=tuple(_status(answers, index) for index in range(len(rewards))),
        text_overlays=tuple(answers.text_overlays),
        usage=answers.usage(),
    )


def score_reply(ids: Sequence[str], answers: Answers) -> ScoreReply:
    """Every judgment with its provenance, and the panel's mean opinion of every item."""
    sources = _sources(answers)
    results = tuple(_result(name, index, answers, sources) for index, name in enumerate(ids))
    return ScoreReply(results=results, usage=answers.usage(), effects=_effects(answers))


def _effects(answers: Answers) -> EffectShares | None:
    """The effect budget, if there is enough that one judge has judged."""
    good = [row for row in range(len(answers.scores)) if row not in answers.failures]
    judges = {_which(answers.judges[row]) for row in good}
    if min(len(good), len(answers.panel.personas)) < LEAST_FOR_EFFECTS or len(judges) > 1:
        return None
    try:
        shares = variance_shares(answers.scores[good])
    except UnusableRatings:
        return None
    return EffectShares(
        picture=shares.picture, persona=shares.persona, interaction=shares.interaction
    )


def _which(judge: Identity | None) -> tuple[str, ...] | None:
    """A judge by what it is: of a recorded one there are many objects."""
    return None if judge is None else (judge.tier, judge.name, judge.revision)


def _nullable(table: Array) -> list[list[float | None]]:
    cells = table.astype(object)
    cells[np.isnan(table)] = None
    rows: list[list[float | None]] = cells.tolist()
    return rows


def _reward(scores: Array) -> Array:
    return (scores - LOWEST_SCORE) / RANGE


def _status(answers: Answers, index: int) -> Status:
    failure = answers.failures.get(index)
    return Status.OK if failure is None else failure.status


def _result(name: str, index: int, answers: Answers, sources: Sources) -> Result:
    failure = answers.failures.get(index)
    if failure is not None:
        judgments = _failed_judgments(failure, index, answers)
        return Result(
            id=name,
            status=failure.status,
            reward=None,
            mos=None,
            judgments=judgments,
            reason=failure.reason,
            text_overlay=answers.text_overlays[index],
        )
    mos = mean_opinion_score(answers.scores[index])
    return Result(
        id=name,
        status=Status.OK,
        reward=round((mos.mean - LOWEST_SCORE) / RANGE, REWARD_DIGITS),
        mos=mos,
        judgments=_good_judgments(index, answers, sources),
        reason=answers.reasons[index],
        text_overlay=answers.text_overlays[index],
    )


def _failed_judgments(failure: Failure, index: int, answers: Answers) -> tuple[Judgment, ...]:
    judge = answers.judges[index]
    return tuple(
        _strangers_judgment(name, answers.panel)
        if name in answers.panel.unknown
        else Judgment(
            persona=name,
            status=failure.status,
            tier=None if judge is None else judge.tier,
            reason=failure.reason,
        )
        for name in answers.panel.names
    )


def _good_judgments(index: int, answers: Answers, sources: Sources) -> tuple[Judgment, ...]:
    judge = answers.judges[index]
    assert judge is not None
    numbers = zip(
        answers.panel.personas,
        answers.scores[index].tolist(),
        _reward(answers.scores[index]).tolist(),
        answers.errors[index].tolist(),
        strict=True,
    )
    found = {
        persona.id: Judgment(
            persona=persona.id,
            status=Status.OK,
            tier=judge.tier,
            extraction=judge.extraction,
            cached=bool(answers.cached[index]),
            reason=answers.reasons[index],
            score=score,
            reward=reward,
            se=error,
            provenance=sources[id(judge)][persona.id],
        )
        for persona, score, reward, error in numbers
    }
    return tuple(
        found.get(name) or _strangers_judgment(name, answers.panel) for name in answers.panel.names
    )


def _sources(answers: Answers) -> Sources:
    """Built once a request: a judge and a persona are the same for every item."""
    asked = {id(judge): judge for judge in answers.judges if judge is not None}
    return {
        which: {persona.id: _provenance(judge, persona) for persona in answers.panel.personas}
        for which, judge in asked.items()
    }


def _provenance(judge: Identity, persona: Persona) -> Provenance:
    return Provenance(
        judge=judge.name,
        revision=judge.revision,
        prompt=judge.prompt,
        persona=persona.content_hash,
        calibration=judge.calibration,
        interview=judge.interview,
    )


def _strangers_judgment(name: str, panel: Panel) -> Judgment:
    return Judgment(persona=name, status=Status.UNKNOWN_PERSONA, reason=panel.unknown[name])
