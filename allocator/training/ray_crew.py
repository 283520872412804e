"""Workers as Ray tasks, on this machine or on a cluster that `RAY_ADDRESS` names.

The nodes of a cluster need this package and the experiment's folder on a disk that they share.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from allocator.rlli import survey_prompt
from allocator.training.crew import GRACE_S, WorkerLostError
from allocator.training.interruption import unwinding
from allocator.training.loop_cost import LoopCost
from allocator.training.missing import MissingPackageError
from allocator.training.order import TrainingOrder
from allocator.training.train import ExperienceSource, Progress, train
from allocator.training.trained_run import TrainedRun

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class RayCrew:
    """A `Crew` of so many tasks at a time, one core each."""

    _ray: Any
    _source: ExperienceSource
    _at_a_time: int
    _told: Any

    def train(self, orders: Sequence[TrainingOrder], progress: Progress) -> tuple[TrainedRun, ...]:
        """Train all orders; progress is in environment steps."""
        return self._do(_train_there, orders, progress)

    def survey(self, prompts: Sequence[int], progress: Progress) -> LoopCost:
        """Have every picture of these prompts drawn and judged; progress is in pictures."""
        return sum(self._do(_survey_there, prompts, progress), LoopCost())

    def _do(
        self, work: Callable[..., Result], tasks: Sequence[Task], progress: Progress
    ) -> tuple[Result, ...]:
        remote = self._ray.remote(num_cpus=1)(work)
        ahead = deque(enumerate(tasks))
        working: dict[Any, int] = {}
        results: dict[int, Result] = {}
        try:
            while ahead or working:
                while ahead and len(working) < self._at_a_time:
                    place, task = ahead.popleft()
                    handed = remote.remote(self._source, task, self._told, Path.cwd())
                    working[handed] = place
                done, _ = self._ray.wait(list(working), timeout=0.5)
                self._pass_on(progress)
                for each in done:
                    results[working.pop(each)] = self._result(each)
        finally:
            self._call_off(list(working))
        self._pass_on(progress)
        return tuple(results[place] for place in range(len(tasks)))

    def _result(self, handed: Any) -> Any:
        try:
            return self._ray.get(handed)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(f"Ray lost a task ({error}): the same command goes on") from error

    def _pass_on(self, progress: Progress) -> None:
        for steps in self._told.get_nowait_batch(self._told.qsize()):
            progress(steps)

    def _call_off(self, working: list[Any]) -> None:
        """Ask tasks to end, as Ctrl-C would, and let them write their checkpoints."""
        for each in working:
            self._ray.cancel(each)
        if working:
            self._ray.wait(working, num_returns=len(working), timeout=GRACE_S)


@contextmanager
def ray_crew(source: ExperienceSource, processes: int) -> Iterator[RayCrew]:
    """Ray tasks, so many at a time; `Hire`.

    Raises:
        MissingPackageError: Ray is not installed.
    """
    ray, queue = _imported()
    ours = not ray.is_initialized()
    if ours:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    told = queue.Queue(actor_options={"num_cpus": 0})
    try:
        with unwinding():  # anew, for Ray has put handlers of its own in their place
            yield RayCrew(ray, source, processes, told)
    finally:
        told.shutdown()
        if ours:
            ray.shutdown()


def _imported() -> tuple[Any, Any]:
    # Ray reports what it is used for to its makers unless told not to before it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
        import ray.util.queue
    except ModuleNotFoundError as error:
        raise MissingPackageError("ray", extra="ray") from error
    return ray, ray.util.queue


def _train_there(
    source: ExperienceSource, order: TrainingOrder, told: Any, folder: Path
) -> TrainedRun:
    os.chdir(folder)
    opened = source.open()
    try:
        return train(order, opened, told.put)
    finally:
        opened.close()


def _survey_there(source: ExperienceSource, prompt: int, told: Any, folder: Path) -> LoopCost:
    os.chdir(folder)
    opened = source.open()
    try:
        told.put(survey_prompt(opened.experience, prompt))
        return opened.cost()
    finally:
        opened.close()
