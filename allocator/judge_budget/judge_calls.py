"""A hard budget of judge calls: one call is one persona's judgment of one picture."""

from __future__ import annotations

from dataclasses import dataclass


class JudgeCallsSpentError(RuntimeError):
    """More calls were asked for than the budget has left; nothing was asked."""


@dataclass
class JudgeCalls:
    """How many calls a run may make, and how many it has made.

    A call counts when it is made: whether it is answered, fails, or is answered out of a cache.
    """

    limit: int
    spent: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.spent <= self.limit:
            raise ValueError(f"{self.spent} of {self.limit} judge calls cannot be spent")

    @property
    def left(self) -> int:
        """What may still be spent."""
        return self.limit - self.spent

    def require(self, calls: int) -> None:
        """Raises JudgeCallsSpentError if the budget does not have these calls left."""
        if calls > self.left:
            raise JudgeCallsSpentError(
                f"{calls} judge calls were wanted and {self.left} of {self.limit} are left"
            )

    def spend(self, calls: int) -> None:
        """Take these calls off the budget; raises JudgeCallsSpentError if it does not have them."""
        self.require(calls)
        self.spent += calls
