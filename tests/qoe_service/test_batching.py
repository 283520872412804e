"""Micro-batching: company, order, isolation of a bad row, and an end without leaks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qoe_service.batching import MicroBatcher, answer_each

POISON = -1.0


class Doubler:
    """Doubles rows, refuses poison, and remembers the batches it saw."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        self.gate.wait(10)
        self.batches.append(len(rows))
        if (rows == POISON).any():
            raise ValueError("poison")
        return rows * 2


def test_concurrent_requests_share_a_batch_and_get_their_own_answers() -> None:
    doubler = Doubler()
    doubler.gate.clear()  # hold the first forward until all others wait
    batcher = MicroBatcher(doubler, max_batch=64, window_s=0)
    first = batcher.submit(np.array([0.0]))
    others = [batcher.submit(np.array([float(n), n + 0.5])) for n in range(1, 21)]
    doubler.gate.set()
    assert first.result(10) == [0.0]
    for number, future in enumerate(others, start=1):
        assert future.result(10) == [2.0 * number, 2.0 * number + 1]
    batcher.close()
    assert sum(doubler.batches) == 41
    assert len(doubler.batches) <= 3


def test_a_request_larger_than_a_batch_is_cut_and_put_together() -> None:
    doubler = Doubler()
    batcher = MicroBatcher(doubler, max_batch=8, window_s=0.001)
    rows = np.arange(1.0, 30.0)
    assert np.array_equal(batcher.submit(rows).result(10), rows * 2)
    batcher.close()
    assert max(doubler.batches) == 8


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    batcher = MicroBatcher(Doubler(), max_batch=4, window_s=3600)
    assert len(batcher.submit(np.ones(4)).result(10)) == 4
    batcher.close()


def test_a_poisoned_row_fails_alone() -> None:
    doubler = Doubler()
    batcher = MicroBatcher(doubler, max_batch=64, window_s=0.05)
    with ThreadPoolExecutor(4) as pool:
        good = [pool.submit(batcher.submit, np.full(8, float(n))) for n in range(1, 4)]
        bad = pool.submit(batcher.submit, np.array([5.0, POISON, 6.0]))
    answers = bad.result().result(10)
    assert (answers[0], answers[2]) == (10.0, 12.0)
    assert isinstance(answers[1], ValueError)
    for number, future in enumerate(good, start=1):
        assert future.result().result(10) == [2.0 * number] * 8
    assert batcher.submit(np.ones(2)).result(10) == [2.0, 2.0]
    batcher.close()


def test_halving_asks_about_logarithmically_many_batches() -> None:
    doubler = Doubler()
    rows = np.ones(64)
    rows[37] = POISON
    answers = answer_each(doubler, rows)
    assert [index for index, answer in enumerate(answers) if isinstance(answer, Exception)] == [37]
    assert len(doubler.batches) <= 2 * 6 + 1


def test_a_model_that_loses_rows_is_an_error_and_not_a_shift() -> None:
    answers = answer_each(lambda rows: rows[:-1], np.ones(3))
    assert all(isinstance(answer, RuntimeError) for answer in answers)


def test_closing_answers_what_is_queued_and_leaves_no_thread() -> None:
    doubler = Doubler()
    doubler.gate.clear()
    batcher = MicroBatcher(doubler, max_batch=2, window_s=3600)
    futures = [batcher.submit(np.ones(3)) for _ in range(4)]
    doubler.gate.set()
    batcher.close()
    batcher.close()
    assert all(future.result(0) == [2.0, 2.0, 2.0] for future in futures)
    assert not any(thread.name == "micro-batcher" for thread in threading.enumerate())
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(np.ones(1))


def test_predicts_how_long_the_rows_that_wait_will_take() -> None:
    doubler = Doubler()

    def slowly(rows: np.ndarray) -> np.ndarray:
        time.sleep(0.01 * len(rows))
        return doubler(rows)

    batcher = MicroBatcher(slowly, max_batch=8, window_s=0)
    assert batcher.predicted_wait_s == 0
    batcher.submit(np.arange(8.0)).result(10)
    assert batcher.predicted_wait_s == 0
    doubler.gate.clear()
    futures = [batcher.submit(np.arange(8.0)) for _ in range(6)]
    predicted_s = batcher.predicted_wait_s
    doubler.gate.set()
    for future in futures:
        future.result(10)
    assert 40 * 0.01 <= predicted_s < 48 * 0.1
    batcher.close()
