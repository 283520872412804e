"""What one training run learns from, and what it is then compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.experience import Experience
from allocator.judge_budget.experience import BudgetedExperience
from allocator.judge_budget.report import BudgetReport

State = dict[str, Any]
"""Arrays, numbers and texts by name."""


class Practice(Protocol):
    """Where the rewards of a run come from.

    learnt_from: while it trains. compared_by: on held-out episodes. seen: what the state tells of
    the catalogue, None if that is what rewards come from.
    """

    @property
    def learnt_from(self) -> Experience: ...

    @property
    def compared_by(self) -> Experience: ...

    @property
    def seen(self) -> Experience | None: ...

    def state(self) -> State:
        """What a checkpoint must hold of it."""
        ...

    def finish(self) -> BudgetReport | None:
        """What became of its budget, if it had one; to be called when training is over."""
        ...


@dataclass(frozen=True)
class Unlimited:
    """Every picture that is shown is judged."""

    experience: Experience

    @property
    def learnt_from(self) -> Experience:
        """The experience."""
        return self.experience

    @property
    def compared_by(self) -> Experience:
        """The experience."""
        return self.experience

    @property
    def seen(self) -> None:
        """Nothing else."""

    def state(self) -> State:
        """It has none: what was judged is judged again alike."""
        return {}

    def finish(self) -> None:
        """It had no budget."""


@dataclass(frozen=True)
class Estimates:
    """What an experience would answer now; looking it up asks nobody and is shown to nobody."""

    of: BudgetedExperience

    @property
    def catalogue(self) -> Catalogue:
        """That of the experience."""
        return self.of.catalogue

    @property
    def personas(self) -> tuple[str, ...]:
        """The panel's ids."""
        return self.of.personas

    @property
    def traits(self) -> Floats:
        """(personas, 5) z-scores of the panel."""
        return self.of.traits

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table."""
        return self.of.shape

    def rewards(self, places: Indices) -> Floats:
        """Judged or estimated."""
        return self.of.estimates().rewards(places)


@dataclass(frozen=True)
class Budgeted:
    """Few pictures are judged while a run learns.

    compared_by: the judges where asking them is not charged to the run, otherwise `Estimates`.
    """

    learnt_from: BudgetedExperience
    compared_by: Experience

    @property
    def seen(self) -> Experience:
        """What was known of the catalogue when training began."""
        return self.learnt_from.seen_before_training

    def state(self) -> State:
        """That of the experience."""
        return self.learnt_from.state()

    def finish(self) -> BudgetReport:
        """What became of the budget."""
        return self.learnt_from.finish()
