from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from qoe_service.provider.background import BackgroundLoop


@pytest.fixture
def background():
    loop = BackgroundLoop("test-loop")
    yield loop
    loop.close()


async def thread_name() -> str:
    return threading.current_thread().name


async def for_ever(cleaned: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        cleaned.append("up")


def test_runs_coroutines_on_its_own_daemon_thread(background):
    assert background.run(thread_name()).result(5) == "test-loop"
    thread = next(t for t in threading.enumerate() if t.name == "test-loop")
    assert thread.daemon


def test_errors_reach_the_caller(background):
    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        background.run(fail()).result(5)


def test_cancelling_the_future_cancels_the_coroutine(background):
    cleaned: list[str] = []
    future = background.run(for_ever(cleaned))
    background.run(asyncio.sleep(0)).result(5)
    future.cancel()
    background.run(asyncio.sleep(0.01)).result(5)
    assert cleaned == ["up"]


def test_close_cancels_cleans_up_and_ends_the_thread(background):
    cleaned: list[str] = []
    future = background.run(for_ever(cleaned))
    background.run(asyncio.sleep(0)).result(5)
    background.close()
    background.close()
    assert cleaned == ["up"]
    with pytest.raises(CancelledError):
        future.result(5)
    assert "test-loop" not in {thread.name for thread in threading.enumerate()}


def test_nothing_runs_after_close(background):
    background.close()
    with pytest.raises(RuntimeError, match="closed"):
        background.run(thread_name())


def test_futures_of_a_race_with_close_always_end(background):
    futures = []

    def submit() -> None:
        try:
            while True:
                futures.append(background.run(asyncio.sleep(0)))
        except RuntimeError:
            return

    submitters = [threading.Thread(target=submit) for _ in range(3)]
    for submitter in submitters:
        submitter.start()
    while not futures:
        pass
    background.close()
    for submitter in submitters:
        submitter.join(5)
    for future in futures:
        assert future.cancelled() or future.result(5) is None
