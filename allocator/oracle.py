"""Asking the QoE service what personas think of pictures: over HTTP, or in process.

A failure is NaN, never a number, and it is counted. A service that is briefly away is asked again
here and nowhere else; one that stays away ends the run instead of teaching it nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.judge_budget.judge_calls import JudgeCalls

if TYPE_CHECKING:
    from qoe_service import QoEClient, Scorer
    from qoe_service.personas import Persona
    from qoe_service.schemas import JudgeInfo, RewardsReply

LARGEST_REQUEST = 64
ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
MOST_UNANSWERED = 3
"""Requests in a row that may stay unanswered, each after ATTEMPTS, before the run ends."""


class RewardService(Protocol):
    """What an oracle needs of `QoEClient` and `Scorer` alike."""

    def rewards(
        self,
        pictures: NDArray[np.uint8],
        prompts: Sequence[str],
        *,
        personas: Sequence[str] | None = None,
    ) -> RewardsReply: ...

    def personas(self) -> tuple[Persona, ...]: ...

    def judges(self) -> tuple[JudgeInfo, ...]: ...


@dataclass(frozen=True)
class Opinions:
    """rewards: (N, P) in [0, 1], NaN where the service gave none. personas: ids of the columns."""

    rewards: Floats
    personas: tuple[str, ...]


@dataclass
class OracleCounts:
    """What has been asked so far.

    requests: sent to the service. judgments: numbers that came back. cached: of those, the ones
    the service knew already. failed: judgments the service could not give, or was not there to
    give. masked: NaN that were handed on because of that.
    """

    requests: int = 0
    judgments: int = 0
    cached: int = 0
    failed: int = 0
    masked: int = 0


@dataclass
class Oracle:
    """A panel behind a service.

    Args:
        service: where the panel sits.
        panel: ids of the personas to ask; all the service knows if None.
        sleep: how to wait between attempts.
        calls: a budget that everything sent is taken off, every attempt anew; None: no limit.

    Raises ValueError if the panel names a persona the service does not know.
    """

    service: RewardService
    panel: Sequence[str] | None = None
    sleep: Callable[[float], None] = time.sleep
    calls: JudgeCalls | None = None
    counts: OracleCounts = field(default_factory=OracleCounts, init=False)

    def __post_init__(self) -> None:
        known = {persona.id: persona for persona in self.service.personas()}
        asked = tuple(known) if self.panel is None else tuple(self.panel)
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise ValueError(f"the service knows no personas {unknown}; it has {sorted(known)}")
        self.personas: tuple[Persona, ...] = tuple(known[name] for name in asked)
        self._unanswered = 0

    def opinions(self, pictures: NDArray[np.uint8], prompts: Sequence[str]) -> Opinions:
        """What each persona thinks of each picture (N, H, W, 3) for its prompt."""
        ids = tuple(persona.id for persona in self.personas)
        self._require(len(prompts) * len(ids))
        return Opinions(self._asked(pictures, prompts, ids), ids)

    def judgments(
        self, pictures: NDArray[np.uint8], prompts: Sequence[str], who: Indices
    ) -> Floats:
        """(N,) what persona number `who[n]` thinks of picture n: one judge call each."""
        self._require(len(who))
        rewards = np.full(len(who), np.nan)
        for number in np.unique(who):
            asked = np.flatnonzero(who == number)
            ids = (self.personas[int(number)].id,)
            rewards[asked] = self._asked(
                pictures[asked], [prompts[n] for n in asked.tolist()], ids
            )[:, 0]
        return rewards

    def _asked(
        self, pictures: NDArray[np.uint8], prompts: Sequence[str], ids: tuple[str, ...]
    ) -> Floats:
        if len(pictures) != len(prompts):
            raise ValueError(f"{len(pictures)} pictures came with {len(prompts)} prompts")
        parts = [
            self._ask(pictures[start : start + LARGEST_REQUEST], batch, ids)
            for start, batch in _batches(prompts)
        ]
        rewards = np.concatenate(parts) if parts else np.empty((0, len(ids)))
        self.counts.masked += int(np.isnan(rewards).sum())
        return rewards

    def _ask(
        self, pictures: NDArray[np.uint8], prompts: Sequence[str], ids: tuple[str, ...]
    ) -> Floats:
        reply = self._reply(pictures, prompts, ids)
        if reply is None:
            self.counts.failed += len(prompts) * len(ids)
            return np.full((len(prompts), len(ids)), np.nan)
        rewards = np.array(reply.by_persona, dtype=np.float64)  # None becomes NaN
        self.counts.judgments += int((~np.isnan(rewards)).sum())
        self.counts.cached += reply.usage.cached
        self.counts.failed += int(np.isnan(rewards).sum())
        return rewards

    def _reply(
        self, pictures: NDArray[np.uint8], prompts: Sequence[str], ids: tuple[str, ...]
    ) -> RewardsReply | None:
        from qoe_service.client import ProblemReply, ServiceUnreachable
        from qoe_service.errors import Overloaded

        for attempt in range(ATTEMPTS):
            if not self._paid(len(prompts) * len(ids)):
                return None
            self.counts.requests += 1
            pause_s = FIRST_PAUSE_S * 2**attempt
            try:
                reply = self.service.rewards(pictures, prompts, personas=ids)
            except Overloaded as error:
                failure: Exception = error
                pause_s = max(pause_s, error.retry_after_s)
            except (ServiceUnreachable, ProblemReply) as error:
                failure = error
                if isinstance(error, ProblemReply) and error.status < 500:
                    raise
            else:
                self._unanswered = 0
                return reply
            if attempt + 1 < ATTEMPTS:
                self.sleep(pause_s)
        self._unanswered += 1
        if self._unanswered >= MOST_UNANSWERED:
            raise failure
        return None

    def _require(self, calls: int) -> None:
        if self.calls is not None:
            self.calls.require(calls)

    def _paid(self, calls: int) -> bool:
        """Whether the budget bears an attempt; it does not if too many had to be repeated.

        What became of one that was not answered is not known, so repeating it costs as much again.
        """
        if self.calls is None:
            return True
        if calls > self.calls.left:
            return False
        self.calls.spend(calls)
        return True


class HttpOracle(Oracle):
    """Asks a running service."""

    def __init__(self, client: QoEClient, panel: Sequence[str] | None = None) -> None:
        super().__init__(client, panel)


class LocalOracle(Oracle):
    """Asks a scorer in this process."""

    def __init__(self, scorer: Scorer, panel: Sequence[str] | None = None) -> None:
        super().__init__(scorer, panel)


def _batches(prompts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(prompts), LARGEST_REQUEST):
        yield start, prompts[start : start + LARGEST_REQUEST]
