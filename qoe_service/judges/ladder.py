"""Which judge answers: the best one that can, for each case, and one tier for a whole group.

A case falls to the next tier when a judge is unavailable, refuses, cannot be understood, or has
never seen the like. It does not fall when the budget is spent: a stop is a stop. A judge that is
not the last may take only part of the time that is left, so that a silent endpoint cannot use up
what the tiers below it need. The members of a group are compared with each other, so they are
judged by one tier: the lowest that any of them fell to.

A judge whose queue takes longer than that time is passed over at once. If that leaves a request
without a single answer it is refused as a whole: better to know now than to wait for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from qoe_service.errors import JudgeUnavailable, Overloaded, UnknownTier
from qoe_service.judges import Case, Deadline, Failure, Identity, Judge, Opinions
from qoe_service.personas import Persona
from qoe_service.schemas import JudgeInfo, Status

FALLS = frozenset(
    {
        Status.JUDGE_UNAVAILABLE,
        Status.OUT_OF_DOMAIN,
        Status.REFUSED,
        Status.UNREADABLE_ANSWER,
        Status.DEADLINE,
    }
)
"""The failures that another judge may cure, if there is time for it."""

KEPT_BACK, KEPT_BACK_AT_MOST_S = 0.2, 2.0
"""Share of the time left, and seconds, that a judge must leave to the tiers below it."""


@dataclass(frozen=True)
class Verdicts:
    """Opinions of N cases; for each the judge that gave them, and why it was not a better one."""

    opinions: Opinions
    judges: tuple[Identity, ...]
    reasons: tuple[str | None, ...]


class Bench(Protocol):
    """Who answers requests: the ladder, the ladder on record, or a record. Thread-safe."""

    def verdicts(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        *,
        tier: str | None,
        deadline: Deadline,
    ) -> Verdicts:
        """A verdict on every case. Raises `RequestError`."""
        ...

    def reading_until(self, deadline: Deadline) -> Deadline:
        """Until when a picture is worth reading whose verdict is of no use after `deadline`."""
        ...

    def infos(self) -> tuple[JudgeInfo, ...]:
        """Who may answer, best first, and whether they can."""
        ...

    def close(self) -> None:
        """Give back threads and files."""
        ...


class Ladder:
    """Judges in order of preference. Thread-safe, as its judges are.

    Args:
        own_scale: tiers whose scores are not on the first judge's scale, and why not.
    """

    def __init__(self, judges: Sequence[Judge], own_scale: Mapping[str, str] | None = None) -> None:
        if not judges:
            raise ValueError("a ladder needs at least one judge")
        self.judges = tuple(judges)
        self.own_scale = own_scale or {}

    def verdicts(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        *,
        tier: str | None,
        deadline: Deadline,
    ) -> Verdicts:
        """Judge every case by the best tier that can, or by `tier` alone if it is given.

        Raises:
            UnknownTier: if no judge of the ladder has this tier.
            Overloaded: if no case is answered because too much is waiting.
        """
        rungs = self.judges if tier is None else (self.judge(tier),)
        verdicts = _Descent(cases, panel, deadline).through(rungs)
        _check_load(verdicts.opinions.failures, len(cases))
        return self._with_scales(verdicts)

    def judge(self, tier: str) -> Judge:
        """The judge of a tier. Raises `UnknownTier`."""
        for judge in self.judges:
            if judge.tier == tier:
                return judge
        known = ", ".join(judge.tier for judge in self.judges)
        raise UnknownTier(f"tier {tier!r} is not on this service's ladder; it has: {known}")

    def reading_until(self, deadline: Deadline) -> Deadline:
        """The deadline: nobody waits for what comes after it."""
        return deadline

    def infos(self) -> tuple[JudgeInfo, ...]:
        """Every rung, each asked to judge its canary."""
        return tuple(_info(judge, self.own_scale.get(judge.tier)) for judge in self.judges)

    def close(self) -> None:
        """Close every judge."""
        for judge in self.judges:
            judge.close()

    def _with_scales(self, verdicts: Verdicts) -> Verdicts:
        """Whoever fell to a judge with a scale of its own is told."""
        told = zip(verdicts.reasons, verdicts.judges, strict=True)
        return replace(verdicts, reasons=tuple(self._with_scale(*each) for each in told))

    def _with_scale(self, reason: str | None, judge: Identity) -> str | None:
        if reason is None or judge.tier not in self.own_scale:
            return reason
        return f"{reason}; on {judge.tier}'s own scale: {self.own_scale[judge.tier]}"


def _check_load(failures: Mapping[int, Failure], count: int) -> None:
    """Raises `Overloaded` if nothing but too much load is why nothing is answered."""
    waits_s = [f.retry_after_s for f in failures.values() if f.retry_after_s is not None]
    if count and len(waits_s) == count:
        raise Overloaded(f"nobody can judge this in time: {failures[0].reason}", min(waits_s))


def _info(judge: Judge, own_scale: str | None) -> JudgeInfo:
    reason = None
    try:
        judge.check()
    except JudgeUnavailable as error:
        reason = str(error)
    return JudgeInfo(
        tier=judge.tier,
        judge=judge.name,
        revision=judge.revision,
        ready=reason is None,
        reason=reason,
        calibration=judge.calibration,
        own_scale=own_scale,
        interview=judge.interview,
    )


class _Descent:
    """The way of one request's cases down the rungs."""

    def __init__(self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline) -> None:
        self._cases = cases
        self._panel = panel
        self._deadline = deadline
        shape = (len(cases), len(panel))
        self._scores, self._errors = np.full(shape, np.nan), np.full(shape, np.nan)
        self._cached = np.zeros(len(cases), dtype=bool)
        self._failures: dict[int, Failure] = {}
        self._judges: dict[int, Judge] = {}
        self._reasons: list[str | None] = [None] * len(cases)
        self._forwards = self._tokens = 0

    def through(self, rungs: Sequence[Judge]) -> Verdicts:
        waiting = np.arange(len(self._cases))
        for judge in rungs:
            if len(waiting) == 0:
                break
            fallen = self._ask(judge, waiting, self._until(judge is rungs[-1]))
            waiting = np.array(sorted(fallen), dtype=int)
            if judge is not rungs[-1]:
                for index, reason in fallen.items():
                    self._reasons[index] = reason
        opinions = Opinions(
            self._scores,
            self._errors,
            self._failures,
            self._cached,
            self._forwards,
            self._tokens,
        )
        judges = tuple(self._judges[index] for index in range(len(self._cases)))
        return Verdicts(opinions, judges, tuple(self._reasons))

    def _until(self, is_last: bool) -> Deadline:
        if is_last:
            return self._deadline
        return self._deadline.keeping_back(KEPT_BACK, KEPT_BACK_AT_MOST_S)

    def _ask(self, judge: Judge, waiting: np.ndarray, deadline: Deadline) -> dict[int, str]:
        """Let one judge answer; returns who falls, with the reason."""
        found = judge.opinions([self._cases[i] for i in waiting], self._panel, deadline)
        self._scores[waiting], self._errors[waiting] = found.scores, found.errors
        self._cached[waiting] = found.cached
        self._forwards += found.forwards
        self._tokens += found.tokens
        failures = {int(waiting[row]): failure for row, failure in found.failures.items()}
        for index in waiting.tolist():
            self._judges[index] = judge
            self._failures.pop(index, None)
        self._failures.update(failures)
        return self._fallen(failures, waiting)

    def _fallen(self, failures: Mapping[int, Failure], waiting: np.ndarray) -> dict[int, str]:
        if self._deadline.passed:
            return {}
        fallen = {i: f.reason for i, f in failures.items() if f.status in FALLS}
        groups = {self._cases[i].group_id: reason for i, reason in fallen.items()}
        groups.pop(None, None)
        for index in waiting.tolist():
            group = self._cases[index].group_id
            if index not in fallen and index not in failures and group in groups:
                fallen[index] = f"judged with its group {group!r}, of which one: {groups[group]}"
        return fallen
