"""Worker processes that share a source of rewards, each with one torch thread.

Small networks run slower on two threads than on one, so cores are used by running side by side.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

from allocator.rlli import survey_prompt
from allocator.training.interruption import Interrupted
from allocator.training.lifeline import in_background, outlive_parent
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.train import (
    TORCH_THREADS,
    ExperienceSource,
    OpenExperience,
    Progress,
    train,
)
from allocator.training.trained_run import TrainedRun

Task = TypeVar("Task")
Result = TypeVar("Result")

GRACE_S = 60.0
"""How long workers may take over their last checkpoints before they are killed."""


class Crew(Protocol):
    """Does tasks side by side; results come in the order of the tasks."""

    def train(self, orders: Sequence[TrainingOrder], progress: Progress) -> tuple[TrainedRun, ...]:
        """Train all orders; progress is in environment steps."""
        ...

    def survey(self, prompts: Sequence[int], progress: Progress) -> LoopCost:
        """Have every picture of these prompts drawn and judged; progress is in pictures."""
        ...


Hire = Callable[[ExperienceSource, int], AbstractContextManager[Crew]]
"""Workers for a source, so many at a time; when the block is left they end, and runs that they
train leave checkpoints."""


class WorkerLostError(RuntimeError):
    """A worker process ended in the midst of its task."""


@dataclass(frozen=True)
class ProcessCrew:
    """A `Crew` of processes on this machine."""

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
            self._pass_on(progress)
            for future in done:
                _result(future)  # what failed ends the experiment now, not in an hour
        self._pass_on(progress)
        return tuple(_result(future) for future in futures)

    def _pass_on(self, progress: Progress) -> None:
        while not self._told.empty():
            progress(self._told.get())


@contextmanager
def crew(source: ExperienceSource, processes: int) -> Iterator[ProcessCrew]:
    """Processes that have opened `source` and wait for tasks; `Hire`."""
    context = multiprocessing.get_context("spawn")
    told, stop = context.SimpleQueue(), context.Event()
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=_begin, initargs=(source, told, stop)
    )
    try:
        yield ProcessCrew(pool, told)
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        _see_off(set(multiprocessing.active_children()) - others)


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerLostError(
            "a worker process was lost (killed, or out of memory?): what is finished is kept, and "
            "the same command goes on from there"
        ) from error


def _see_off(workers: set[BaseProcess]) -> None:
    deadline = time.monotonic() + GRACE_S
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()


@dataclass(frozen=True)
class _Here:
    """What this worker process opened once and uses for all its tasks."""

    source: OpenExperience
    tell: Progress
    stop: Any
    orphaned: threading.Event = field(default_factory=threading.Event)
    training: threading.Lock = field(default_factory=threading.Lock)
    surveying: threading.Lock = field(default_factory=threading.Lock)

    def asked_to_end(self) -> bool:
        """By the parent, or since there is none any more."""
        return self.stop.is_set() or self.orphaned.is_set()

    def end_surveys(self) -> None:
        """At once when asked to: what was drawn and judged is kept, and there is nothing else."""
        while not self.stop.is_set():  # were it to wait, `set` would wait for killed workers
            time.sleep(0.2)
        if self.surveying.locked():
            os._exit(1)

    def end_with_parent(self) -> None:
        """Once the parent is gone, however it went: write the checkpoint and end."""
        outlive_parent()
        self.orphaned.set()
        self.training.acquire(timeout=GRACE_S)
        os._exit(1)


_here: list[_Here] = []


def _begin(source: ExperienceSource, told: Any, stop: Any) -> None:
    import torch

    torch.set_num_threads(TORCH_THREADS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent says what to do
    _here.append(_Here(source.open(), told.put, stop))
    in_background(_here[0].end_with_parent)
    in_background(_here[0].end_surveys)


def _train_here(order: TrainingOrder) -> TrainedRun:
    here = _here[0]
    if here.asked_to_end():
        raise Interrupted("ended before it began")
    with here.training:
        return train(order, here.source, here.tell, here.asked_to_end)


def _survey_here(prompt: int) -> LoopCost:
    here = _here[0]
    with here.surveying:
        before = here.source.cost()
        here.tell(survey_prompt(here.source.experience, prompt))
        return here.source.cost() - before
