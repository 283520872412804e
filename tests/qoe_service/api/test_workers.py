"""Concurrency is bounded, and so is the line."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from qoe_service.api.workers import Workers
from qoe_service.errors import Overloaded
from qoe_service.judges import Deadline


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
        with pytest.raises(Overloaded, match="takes no more") as refused:
            await workers.run(lambda: "never")
        gate.set()
        return refused.value, await inside, await in_line

    refused, _, served = asyncio.run(crowd())
    assert refused.retry_after_s >= 0
    assert served == "served"


def test_a_line_of_none_still_lets_work_in():
    async def one():
        return await Workers(1, 0).run(lambda: "served")

    assert asyncio.run(one()) == "served"


def test_whoever_cannot_have_a_turn_in_time_is_told_at_once():
    async def crowd():
        workers = Workers(1, 10)
        await workers.run(lambda: time.sleep(0.2))
        line = [asyncio.create_task(workers.run(lambda: time.sleep(0.2))) for _ in range(4)]
        await asyncio.sleep(0)
        began_s = time.monotonic()
        with pytest.raises(Overloaded, match="4 requests are before this: the queue takes") as told:
            await workers.run(lambda: "never", Deadline(began_s + 0.3))
        told_s = time.monotonic()
        await asyncio.gather(*line)
        return told_s - began_s, told.value.retry_after_s

    waited_s, retry_after_s = asyncio.run(crowd())
    assert waited_s < 0.2
    assert 0.3 < retry_after_s < 1.5


def test_whoever_waited_in_vain_is_told_when_his_time_is_up():
    gate, done = threading.Event(), []

    async def crowd():
        workers = Workers(1, 10)
        inside = asyncio.create_task(workers.run(lambda: gate.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="the time was up"):
            await workers.run(lambda: done.append("late"), Deadline.after_ms(50))
        gate.set()
        await inside
        return await workers.run(lambda: "served")

    assert asyncio.run(crowd()) == "served"
    assert done == []
