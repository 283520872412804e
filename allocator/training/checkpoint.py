"""From where an interrupted training run goes on as if nothing had happened."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import BaseCallback

from allocator.training.interruption import Interrupted
from allocator.training.learner_state import State, as_arrays, as_tensors
from allocator.training.learning_curve import CurvePoints
from allocator.training.loop_cost import LoopCost
from allocator.training.phases import PhaseSeconds, PhaseTimer
from allocator.training.run_files import Identity, UnreadableFileError, must_be_equal, replacing

EVERY_S, SHARE = 60.0, 0.02
"""Checkpoints are so many seconds apart, which is what being killed costs, or more if writing them
would otherwise take more than this share of the time: 24,000 slots of the standard scenario are
150 MB and two seconds."""


@dataclass(frozen=True)
class Checkpoint:
    """A training run on its way; points, seconds and cost are what it brought and took so far.

    practice: where its rewards come from, if that has a state.
    """

    learner: State
    points: CurvePoints
    seconds: PhaseSeconds
    cost: LoopCost
    practice: State = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many slots of experience it has had."""
        steps: int = self.learner["counters"]["num_timesteps"]
        return steps

    def write(self, path: Path, identity: Identity) -> None:
        """Replace the file in one stroke."""
        told = {name: asdict(getattr(self, name)) for name in ("points", "seconds", "cost")}
        with replacing(path) as file:
            states = {"learner": self.learner, "practice": as_tensors(self.practice)}
            torch.save({"identity": dict(identity)} | states | told, file)

    @classmethod
    def read(cls, path: Path, identity: Identity) -> Checkpoint:
        """Raises OtherOrderError if it is of another identity, UnreadableFileError."""
        try:
            parts = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise UnreadableFileError(path, error) from error
        must_be_equal(parts["identity"], identity, path)
        return cls(
            parts["learner"],
            CurvePoints(**parts["points"]),
            PhaseSeconds(**parts["seconds"]),
            LoopCost(**parts["cost"]),
            as_arrays(parts["practice"]),
        )


class CheckpointWriter(BaseCallback):
    """Writes now and then, and a last time when told to stop; the last in a list of callbacks.

    Raises:
        Interrupted: when it was told to stop and has written.
    """

    def __init__(
        self, write: Callable[[], None], stop: Callable[[], bool], timer: PhaseTimer
    ) -> None:
        super().__init__()
        self._write, self._stop, self._timer = write, stop, timer
        self._due_s = time.monotonic() + EVERY_S

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        stop, started_s = self._stop(), time.monotonic()
        if stop or started_s > self._due_s:
            with self._timer.stopped():
                self._write()
            took_s = time.monotonic() - started_s
            self._due_s = started_s + max(EVERY_S, took_s / SHARE)
        if stop:
            raise Interrupted("stopped between two rollouts; the checkpoint is written")
