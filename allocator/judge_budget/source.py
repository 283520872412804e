"""A source of rewards that gives every training run a hard budget of judge calls of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from allocator.experience import Experience
from allocator.judge_budget.experience import BudgetedExperience
from allocator.judge_budget.judge_calls import JudgeCalls
from allocator.judge_budget.panel import Panel
from allocator.judge_budget.sight import Sight
from allocator.training.loop_cost import LoopCost
from allocator.training.practice import Budgeted, Estimates


class Askable(Protocol):
    """An experience in use whose panel can be asked question by question."""

    @property
    def experience(self) -> Experience: ...

    def panel(self, calls: JudgeCalls) -> Panel: ...

    def sight(self) -> Sight: ...

    def cost(self) -> LoopCost: ...

    def judged_by(self) -> tuple[str, ...]: ...

    def close(self) -> None: ...


class AskableSource(Protocol):
    """Opens one in each process."""

    def open(self) -> Askable: ...


class BudgetedLoop:
    """An experience in use, of which runs hear only what their budget buys.

    `experience` is that of the judges themselves: for references and comparisons.
    """

    def __init__(self, inner: Askable, judge_calls: int, *, compared_by_estimates: bool) -> None:
        self._inner, self._judge_calls = inner, judge_calls
        self._compared_by_estimates = compared_by_estimates
        self._asking: BudgetedExperience | None = None
        self._asked = LoopCost()

    @property
    def experience(self) -> Experience:
        """The judges'."""
        return self._inner.experience

    def practice(self, *, shown: int, seed: int, state: Mapping[str, Any]) -> Budgeted:
        """A budget for one run, half spent at once; or what a checkpoint left of one."""
        panel = self._inner.panel(JudgeCalls(self._judge_calls))
        experience = BudgetedExperience(panel, self._sight, shown=shown, seed=seed)
        self._asked = self._cost_of_asking
        self._asking = experience
        if state:
            experience.put_back(state)
        else:
            experience.survey()
        estimates = self._compared_by_estimates
        return Budgeted(experience, Estimates(experience) if estimates else self.experience)

    def cost(self) -> LoopCost:
        """What the loop has cost, the runs' questions included."""
        return self._inner.cost() + self._cost_of_asking

    def judged_by(self) -> tuple[str, ...]:
        """The judges, how much runs hear of them, and who compares the runs."""
        heard = f"at most {self._judge_calls} judge calls a run"
        by_estimates = ("runs compared by estimates",) if self._compared_by_estimates else ()
        return (*self._inner.judged_by(), heard, *by_estimates)

    def close(self) -> None:
        """Close the loop."""
        self._inner.close()

    @property
    def _cost_of_asking(self) -> LoopCost:
        """Of the runs before, of which nothing else is kept, and of the present one."""
        return self._asked if self._asking is None else self._asked + self._asking.cost()

    @cached_property
    def _sight(self) -> Sight:
        return self._inner.sight()


@dataclass(frozen=True)
class BudgetedSource:
    """`source` with at most `judge_calls` for each training run.

    compared_by_estimates: runs are compared by what they believe, so that nobody is asked beyond
    the budget; otherwise by the judges, whose answers for that are not counted.
    """

    source: AskableSource
    judge_calls: int
    compared_by_estimates: bool = False

    def open(self) -> BudgetedLoop:
        """Open the source."""
        return BudgetedLoop(
            self.source.open(),
            self.judge_calls,
            compared_by_estimates=self.compared_by_estimates,
        )
