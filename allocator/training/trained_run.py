"""What a finished training run brought, kept in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.judge_budget.report import BudgetReport
from allocator.scenarios.policies import Played
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.phases import PhaseSeconds
from allocator.training.run_files import Identity, load_arrays, save_arrays

CURVE = ("steps", "updates", "learning_s", "reward")
PLAYED = "played_"


@dataclass(frozen=True)
class TrainedRun:
    """What a run brought.

    (points,), the curve: steps: slots of experience. updates: gradient updates until then.
    learning_s: seconds spent collecting and learning until then. reward: of a held-out slot.
    decision_s: median wall-clock of one deterministic decision for one cell. played: the held-out
    episodes. seconds: of training, by phase. cost: of the loop. budget: what became of the run's
    judge calls, if they were limited.
    """

    order: TrainingOrder
    steps: NDArray[np.integer]
    updates: NDArray[np.integer]
    learning_s: NDArray[np.floating]
    reward: NDArray[np.floating]
    decision_s: float
    played: Played
    seconds: PhaseSeconds
    cost: LoopCost
    budget: BudgetReport | None = None

    def save(self, identity: Identity) -> None:
        """Keep it where the order says."""
        curve = {name: getattr(self, name) for name in CURVE}
        about = {
            "decision_s": self.decision_s,
            "seconds": asdict(self.seconds),
            "cost": asdict(self.cost),
            "budget": None if self.budget is None else self.budget.plain(),
        }
        save_arrays(self.order.result, curve | arrays_of(self.played), about, identity)

    @classmethod
    def load(cls, order: TrainingOrder, identity: Identity) -> TrainedRun | None:
        """The run if it is finished; raises OtherOrderError if it is of another identity."""
        if not order.result.is_file():
            return None
        arrays, about = load_arrays(order.result, identity)
        return cls(
            order,
            **{name: arrays[name] for name in CURVE},
            decision_s=about["decision_s"],
            played=played_of(arrays),
            seconds=PhaseSeconds(**about["seconds"]),
            cost=LoopCost(**about["cost"]),
            budget=BudgetReport.from_plain(about["budget"]) if about["budget"] else None,
        )


def arrays_of(played: Played) -> dict[str, NDArray[Any]]:
    """Its arrays under names of their own."""
    return {PLAYED + name: array for name, array in vars(played).items()}


def played_of(arrays: Mapping[str, NDArray[Any]]) -> Played:
    """What `arrays_of` took apart."""
    return Played(
        **{
            name.removeprefix(PLAYED): array
            for name, array in arrays.items()
            if name.startswith(PLAYED)
        }
    )
