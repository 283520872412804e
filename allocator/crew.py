"""Worker processes that share a source of rewards, each with one torch thread.

Small networks run slower on two threads than on one, so cores are used by running side by side.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty
from typing import Any, TypeVar

from allocator.loop_cost import LoopCost
from allocator.rlli import survey_prompt
from allocator.trained_run import TrainedRun
from allocator.training import ExperienceSource, OpenExperience, Progress, train
from allocator.training_order import TrainingOrder

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Crew:
    """Does tasks side by side; results come in the order of the tasks."""

    _pool: ProcessPoolExecutor
    _told: Any

    def train(self, orders: Sequence[TrainingOrder], progress: Progress) -> tuple[TrainedRun, ...]:
        """Train all orders; progress is in environment steps."""
        return self._do(_train_here, orders, progress)

    def survey(self, prompts: Sequence[int], progress: Progress) -> LoopCost:
        """Have every picture of these prompts drawn and judged; progress is in pictures."""
        return sum(self._do(_survey_here, prompts, progress), LoopCost())

    def _do(
        self, work: Callable[[Task], Result], tasks: Sequence[Task], progress: Progress
    ) -> tuple[Result, ...]:
        futures = [self._pool.submit(work, task) for task in tasks]
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            _pass_on(self._told, progress)
            for future in done:
                if future.exception() is not None:  # ends the experiment now, not in an hour
                    self._pool.shutdown(wait=False, cancel_futures=True)
                future.result()
        _pass_on(self._told, progress)
        return tuple(future.result() for future in futures)


@contextmanager
def crew(source: ExperienceSource, processes: int) -> Iterator[Crew]:
    """Processes that have opened `source` and wait for tasks."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        told = manager.Queue()
        with ProcessPoolExecutor(
            processes, mp_context=context, initializer=_begin, initargs=(source, told)
        ) as pool:
            yield Crew(pool, told)


def _pass_on(told: Any, progress: Progress) -> None:
    while True:
        try:
            progress(told.get_nowait())
        except Empty:
            return


@dataclass(frozen=True)
class _Here:
    """What this worker process opened once and uses for all its tasks."""

    source: OpenExperience
    tell: Progress


_here: list[_Here] = []


def _begin(source: ExperienceSource, told: Any) -> None:
    import torch

    torch.set_num_threads(1)
    _here.append(_Here(source.open(), told.put))


def _train_here(order: TrainingOrder) -> TrainedRun:
    return train(order, _here[0].source, _here[0].tell)


def _survey_here(prompt: int) -> LoopCost:
    source = _here[0].source
    before = source.cost()
    _here[0].tell(survey_prompt(source.experience, prompt))
    return source.cost() - before
