"""A panel that is asked one question at a time, each off a hard budget of judge calls.

A question is a place in the flattened table of opinions: one picture, one persona.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.experience import RecordedExperience
from allocator.judge_budget.judge_calls import JudgeCalls
from allocator.judge_budget.sight import Painter
from allocator.oracle import Oracle
from allocator.training.loop_cost import LoopCost

if TYPE_CHECKING:
    from allocator.oracle import RewardService


class Panel(Protocol):
    """Who may be asked, and for how much longer."""

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def personas(self) -> tuple[str, ...]: ...

    @property
    def traits(self) -> Floats: ...

    @property
    def calls(self) -> JudgeCalls: ...

    def judge(self, places: Indices) -> Floats:
        """(N,) opinions, NaN for those that could not be given; a call each, given or not.

        Raises JudgeCallsSpentError, having asked nothing, if the budget is too small.
        """
        ...

    def cost(self) -> LoopCost:
        """What asking it has cost so far."""
        ...


class RecordedPanel:
    """A recorded table that answers as the real panel once did, and counts."""

    def __init__(self, recorded: RecordedExperience, calls: JudgeCalls) -> None:
        self.catalogue, self.personas = recorded.catalogue, recorded.personas
        self.traits, self.calls = recorded.traits, calls
        self._recorded = recorded
        self._judged = self._failed = 0

    def judge(self, places: Indices) -> Floats:
        """Look them up."""
        self.calls.spend(len(places))
        opinions = self._recorded.rewards(places)
        failed = int(np.isnan(opinions).sum())
        self._judged += len(places) - failed
        self._failed += failed
        return opinions

    def cost(self) -> LoopCost:
        """The judgments that the real panel would have had to give."""
        return LoopCost(judgments=self._judged, failed=self._failed)


class LivePanel:
    """The service's panel, shown pictures that a painter draws."""

    def __init__(
        self, catalogue: Catalogue, painter: Painter, service: RewardService, calls: JudgeCalls
    ) -> None:
        self.catalogue, self.calls = catalogue, calls
        self.oracle = Oracle(service, calls=calls)
        self.personas = tuple(persona.id for persona in self.oracle.personas)
        self.traits = np.array([persona.traits.vector() for persona in self.oracle.personas])
        self._painter = painter

    def judge(self, places: Indices) -> Floats:
        """Have them drawn, and ask."""
        if not len(places):
            return np.empty(0)
        shape = (*self.catalogue.shape, len(self.personas))
        *cells, who = np.unravel_index(places, shape)
        plans = [
            self.catalogue.plan(*(int(index) for index in cell))
            for cell in zip(*cells, strict=True)
        ]
        prompts = [self.catalogue.prompts[prompt] for prompt in cells[0]]
        return self.oracle.judgments(self._painter.run(plans), prompts, who)

    def cost(self) -> LoopCost:
        """The oracle's counts; drawing is counted by who draws."""
        asked = self.oracle.counts
        return LoopCost(
            requests=asked.requests,
            judgments=asked.judgments,
            cached=asked.cached,
            failed=asked.failed,
        )
