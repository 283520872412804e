"""Where the time of a training run goes: collecting experience, having it judged, learning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stable_baselines3.common.callbacks import BaseCallback


@dataclass(frozen=True)
class PhaseSeconds:
    """Wall-clock of a run.

    collect: playing episodes. judge: until the pictures drawn in them were there and judged.
    learn: gradient updates.
    """

    collect: float = 0.0
    judge: float = 0.0
    learn: float = 0.0

    @property
    def total(self) -> float:
        """All three: the evaluation of a curve and the writing of checkpoints are in none."""
        return self.collect + self.judge + self.learn

    def __add__(self, other: PhaseSeconds) -> PhaseSeconds:
        return PhaseSeconds(
            self.collect + other.collect, self.judge + other.judge, self.learn + other.learn
        )


class PhaseTimer(BaseCallback):
    """Tells the phases apart while a learner is trained; the first in a list of callbacks.

    judging_s: how long the oracle has kept us waiting so far.
    """

    def __init__(self, judging_s: Callable[[], float]) -> None:
        super().__init__()
        self.seconds = PhaseSeconds()
        self._judging_s = judging_s

    def _on_training_start(self) -> None:
        self._mark()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self.seconds += PhaseSeconds(learn=self._passed_s())
        self._mark()

    def _on_rollout_end(self) -> None:
        waited_s = self._judging_s() - self._waited_s
        self.seconds += PhaseSeconds(collect=self._passed_s() - waited_s, judge=waited_s)
        self._mark()

    def _on_training_end(self) -> None:
        self._on_rollout_start()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What is done meanwhile belongs to no phase; only between a rollout's end and the next."""
        yield
        self._mark()

    def _passed_s(self) -> float:
        return time.perf_counter() - self._marked_s

    def _mark(self) -> None:
        self._marked_s, self._waited_s = time.perf_counter(), self._judging_s()
