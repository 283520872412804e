"""Judges: who turns a picture, a prompt and a panel of personas into opinions.

`vlm`, `llm` and `local_vlm` are language models that play the persona, `clip` is the offline judge
inside the evidence, `pixel` needs nothing but numpy, `ladder` chooses.
A judge answers for a whole panel at once: a mean over opinions of different judges means nothing,
so a picture's panel is judged whole by one tier or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qoe_service.images import Picture
from qoe_service.personas import Persona
from qoe_service.schemas import InterviewVerdict, Status

Scores = NDArray[np.float64]

NO_RUN = "unnamed"
"""The run of requests that name none."""


@dataclass(frozen=True)
class Case:
    """One picture to be judged for the prompt that asked for it, after so long a wait."""

    picture: Picture
    prompt: str
    group_id: str | None = None
    delay_s: float = 0.0
    run_id: str | None = None
    """Whose budget is charged."""


@dataclass(frozen=True)
class Failure:
    """Why a case got no opinion.

    retry_after_s: set if the judge has more waiting than it can answer in time, and asked nobody.
    """

    status: Status
    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Opinions:
    """What a panel of P personas says about N cases.

    `scores` and `errors` (one standard error) are (N, P) on the 1-5 scale, NaN in the rows that
    `failures` names. `cached` (N,) tells which rows needed no model; `forwards` counts the
    pictures that went through one, or the calls made to one far away, and `tokens` what those cost.
    """

    scores: Scores
    errors: Scores
    failures: Mapping[int, Failure]
    cached: NDArray[np.bool_]
    forwards: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Deadline:
    """The moment after which an answer is of no use, on the monotonic clock."""

    at_s: float = float("inf")

    @classmethod
    def after_ms(cls, milliseconds: int | None) -> Deadline:
        """The deadline of a request that arrives now; `None` waits for ever."""
        return cls() if milliseconds is None else cls(time.monotonic() + milliseconds / 1e3)

    @property
    def left_s(self) -> float | None:
        """Seconds left, at least 0; `None` if there is no deadline."""
        return None if self.at_s == float("inf") else max(0.0, self.at_s - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.at_s

    def too_soon_for(self, wait_s: float) -> Failure | None:
        """Why there is no point in queueing for so long, if there is none."""
        left_s = self.left_s
        if left_s is None or wait_s <= left_s:
            return None
        return Failure(
            Status.JUDGE_UNAVAILABLE,
            f"the queue takes {wait_s:.1f} s, {left_s:.1f} s are left",
            retry_after_s=wait_s - left_s,
        )

    def keeping_back(self, share: float, at_most_s: float) -> Deadline:
        """An earlier deadline, which leaves a share of what is left for what comes after."""
        left_s = self.left_s
        return self if left_s is None else Deadline(self.at_s - min(share * left_s, at_most_s))


class Identity(Protocol):
    """Who judged, as far as a score's provenance tells."""

    @property
    def tier(self) -> str:
        """The rung's name: vlm, llm, local_vlm, clip, pixel."""
        ...

    @property
    def name(self) -> str:
        """The model behind it."""
        ...

    @property
    def revision(self) -> str:
        """Which version of the model: another revision may give another score."""
        ...

    @property
    def extraction(self) -> str:
        """How a score is read off the judge."""
        ...

    @property
    def calibration(self) -> str | None:
        """What its scale was fitted on."""
        ...

    @property
    def prompt(self) -> str | None:
        """Which words it is asked in, id@version+hash; `None` if it is not asked in words."""
        ...

    @property
    def interview(self) -> InterviewVerdict | None:
        """Whether it plays its personas; `None` if nobody has asked it."""
        ...


class Judge(Identity, Protocol):
    """One rung of the ladder. Thread-safe."""

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case; a case it cannot judge is a `Failure`."""
        ...

    def check(self) -> None:
        """Judge a canary without any cache. Raises `JudgeUnavailable`."""
        ...

    def close(self) -> None:
        """Give back threads and files."""
        ...


def run_of(cases: Sequence[Case]) -> str:
    """The run of a request's cases, which all belong to one."""
    return next((case.run_id for case in cases if case.run_id is not None), NO_RUN)


def no_opinions(count: int, panel_size: int, failure: Failure) -> Opinions:
    """The opinions of a judge that can judge none of the cases."""
    nothing = np.full((count, panel_size), np.nan)
    failures = dict.fromkeys(range(count), failure)
    return Opinions(nothing, nothing, failures, np.zeros(count, dtype=bool))


@dataclass(frozen=True)
class UnavailableJudge:
    """The rung of a judge that could not be set up: it says why and lets cases fall through."""

    tier: str
    name: str
    reason: str
    revision: str = "none"
    extraction: str = "none"
    calibration: str | None = field(default=None)
    prompt: str | None = field(default=None)
    interview: InterviewVerdict | None = field(default=None)

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """No opinion of anything."""
        del deadline
        failure = Failure(Status.JUDGE_UNAVAILABLE, self.reason)
        return no_opinions(len(cases), len(panel), failure)

    def check(self) -> None:
        """Always fails, with the reason."""
        from qoe_service.errors import JudgeUnavailable

        raise JudgeUnavailable(self.reason)

    def close(self) -> None:
        """Nothing was opened."""
