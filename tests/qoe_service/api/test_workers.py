"""Concurrency is bounded, and so is the line."""

from __future__ import annotations

import asyncio
import threading

import pytest

from qoe_service.api.errors import ProblemError
from qoe_service.api.workers import Workers


def test_no_more_than_the_bound_run_at_a_time():
    running, most, lock = set(), [], threading.Lock()

    def work():
        with lock:
            running.add(threading.get_ident())
            most.append(len(running))
        threading.Event().wait(0.01)
        with lock:
            running.discard(threading.get_ident())

    async def crowd():
        workers = Workers(2, 10)
        await asyncio.gather(*(workers.run(work) for _ in range(8)))

    asyncio.run(crowd())
    assert max(most) == 2


def test_whoever_finds_the_line_full_is_told_at_once():
    gate = threading.Event()

    async def crowd():
        workers = Workers(1, 1)
        inside = asyncio.create_task(workers.run(lambda: gate.wait(10)))
        await asyncio.sleep(0)
        in_line = asyncio.create_task(workers.run(lambda: "served"))
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await workers.run(lambda: "never")
        gate.set()
        return refused.value, await inside, await in_line

    refused, _, served = asyncio.run(crowd())
    assert refused.status == 429
    assert refused.headers == {"Retry-After": "1"}
    assert served == "served"


def test_a_line_of_none_still_lets_work_in():
    async def one():
        return await Workers(1, 0).run(lambda: "served")

    assert asyncio.run(one()) == "served"
