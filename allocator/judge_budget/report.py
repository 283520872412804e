"""What a run's budget of judge calls went for, and whether the surrogate may be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from allocator.judge_budget.audit import Look


@dataclass(frozen=True)
class BudgetReport:
    """What a run's budget went for, and how good the surrogate is.

    calls: made, of `limit`. shown: pictures shown to users while training, each of which would be
    a call if everything were judged whenever it is shown. failed: calls that gave no opinion.
    looks: the last is that of the surrogate at the end of the run.
    """

    limit: int
    calls: int
    shown: int
    taught: int
    failed: int
    looks: tuple[Look, ...]

    @property
    def alarm(self) -> bool:
        """Whether surrogate and judges have parted at any look."""
        return any(each.alarm for each in self.looks)

    def in_words(self) -> str:
        """In a few lines."""
        last = self.looks[-1]
        asked = (
            f"{self.calls} of {self.limit} judge calls, {self.calls / max(self.shown, 1):.2%} of "
            f"the {self.shown} pictures shown; {self.failed} failed"
        )
        errors = (
            f"the surrogate against {last.at_random.told} of any picture and "
            f"{last.at_policy.told} of what the policy likes"
        )
        alarm = (
            "ALARM: surrogate and judges have parted; do not trust what was learnt"
            if self.alarm
            else "no alarm"
        )
        return f"{asked}\n{errors}: {alarm}"

    def plain(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self) | {"alarm": self.alarm}

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> Self:
        """What `plain` took apart."""
        own = {name: value for name, value in told.items() if name != "alarm"}
        return cls(**{**own, "looks": tuple(Look.from_plain(each) for each in told["looks"])})
