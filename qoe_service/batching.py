"""Micro-batching: forwards of concurrent requests run as one, and a bad row fails alone."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
Answer = Rows | Exception
Forward = Callable[[Rows], Rows]

WEIGHT_OF_THE_LATEST = 0.2
"""Of the latest forward in the running mean of what a row takes."""


@dataclass(eq=False)
class _Job:
    """The rows of one caller, answered as their batches come back."""

    rows: Rows
    answers: list[Answer] = field(default_factory=list)
    future: Future[list[Answer]] = field(default_factory=Future)
    taken: int = 0


class MicroBatcher:
    """Runs `forward` on one thread of its own over rows that any number of threads submit.

    A batch leaves as soon as it is full, or `window_s` after its first row came. Rows are answered
    one by one: where `forward` raises, the batch is halved until the guilty row stands alone.

    Args:
        forward: from rows (N, ...) to answers (N, ...).
        max_batch: most rows in one forward.
        window_s: how long a batch waits for company; 0 to send what is there.
    """

    def __init__(self, forward: Forward, *, max_batch: int = 64, window_s: float = 0.003) -> None:
        self._forward = forward
        self._max_batch = max_batch
        self._window_s = window_s
        self._jobs: deque[_Job] = deque()
        self._waiting_rows = 0
        self._changed = threading.Condition()
        self._closed = False
        self._mean_row_s = 0.0
        self._thread = threading.Thread(target=self._run, name="micro-batcher", daemon=True)
        self._thread.start()

    @property
    def predicted_wait_s(self) -> float:
        """How long the rows that wait will take, by how long those before them took."""
        return self._waiting_rows * self._mean_row_s

    def submit(self, rows: Rows) -> Future[list[Answer]]:
        """Queue rows (N, ...) with N > 0; the future holds an answer or an exception for each.

        Raises:
            RuntimeError: after `close`.
        """
        if len(rows) == 0:
            raise ValueError("there must be at least one row")
        job = _Job(rows)
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._jobs.append(job)
            self._waiting_rows += len(rows)
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Answer what is queued, then end the thread. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._collect():
            rows = np.concatenate([job.rows[start:stop] for job, start, stop in batch])
            began_s = time.monotonic()
            answers = answer_each(self._forward, rows)
            self._learn((time.monotonic() - began_s) / len(rows))
            for job, start, stop in batch:
                job.answers.extend(answers[: stop - start])
                del answers[: stop - start]
                if len(job.answers) == len(job.rows):
                    job.future.set_result(job.answers)

    def _learn(self, row_s: float) -> None:
        weight = WEIGHT_OF_THE_LATEST if self._mean_row_s else 1.0
        self._mean_row_s += weight * (row_s - self._mean_row_s)

    def _collect(self) -> list[tuple[_Job, int, int]]:
        """The next batch as slices of jobs; empty when closed and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            leaves_at_s = time.monotonic() + self._window_s
            while self._waiting_rows < self._max_batch and self._jobs and not self._closed:
                left_s = leaves_at_s - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    break
            return self._take()

    def _take(self) -> list[tuple[_Job, int, int]]:
        slices: list[tuple[_Job, int, int]] = []
        room = self._max_batch
        while self._jobs and room:
            job = self._jobs[0]
            start, stop = job.taken, min(len(job.rows), job.taken + room)
            slices.append((job, start, stop))
            job.taken = stop
            room -= stop - start
            if stop == len(job.rows):
                self._jobs.popleft()
        self._waiting_rows -= self._max_batch - room
        return slices


def answer_each(forward: Forward, rows: Rows) -> list[Answer]:
    """An answer for every row, found by halving where `forward` raises."""
    try:
        answers = list(forward(rows))
        if len(answers) != len(rows):
            raise RuntimeError(f"forward answered {len(answers)} of {len(rows)} rows")
    except Exception as error:
        if len(rows) == 1:
            return [error]
        middle = len(rows) // 2
        return answer_each(forward, rows[:middle]) + answer_each(forward, rows[middle:])
    return answers
