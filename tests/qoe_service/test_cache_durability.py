"""What was stored stays stored, however the process ends and whoever else uses the folder."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from qoe_service.cache import VectorCache
from tests.qoe_service.opinion_writers import BURST, key_of, opinion_of

TURNS, BURSTS_IN_ALL = 6, 100

Process = subprocess.Popen[str]


@contextmanager
def two_processes(folder: Path, one: list[str], other: list[str]) -> Iterator[tuple[Process, ...]]:
    """Two that open the folder at the same moment."""
    command = [sys.executable, "-m", "tests.qoe_service.opinion_writers", str(folder)]
    running = tuple(
        subprocess.Popen(
            command + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for arguments in (one, other)
    )
    try:
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def killed_after(bursts: int, later_s: float, writer: Process) -> int:
    """Kill a writer in the act; the number of bursts that it had said were stored."""
    for _ in range(bursts):
        assert writer.stdout.readline()
    time.sleep(later_s)
    writer.send_signal(signal.SIGKILL)
    told = [line for line in writer.stdout if line.endswith("\n")]
    assert writer.wait() == -signal.SIGKILL
    return bursts + len(told)


def check_stored(folder: Path, name: str, bursts: int) -> None:
    """All that was called stored is there, and whatever else is there is right."""
    keys = [key_of(name, number) for number in range(BURST * (bursts + 1))]
    with closing(VectorCache(folder)) as cache:
        found = cache.get_many(keys)
    assert not any(vector is None for vector in found[: BURST * bursts])
    for key, vector in zip(keys, found, strict=True):
        assert vector is None or vector.tobytes() == opinion_of(key).tobytes()


def check_intact(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_nothing_that_was_stored_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stored: dict[str, int] = {}
    for turn in range(TURNS):
        names = f"first-{turn}", f"second-{turn}"
        with two_processes(tmp_path, [names[0]], [names[1]]) as writers:
            for name, writer in zip(names, writers, strict=True):
                bursts, later_s = int(rng.integers(5, 20)), rng.uniform(0, 0.02)
                stored[name] = killed_after(bursts, later_s, writer)
        check_intact(tmp_path)
        for name, bursts in stored.items():
            check_stored(tmp_path, name, bursts)
    assert sum(stored.values()) >= BURSTS_IN_ALL


@pytest.mark.parametrize("turn", range(3))
def test_two_processes_share_a_folder_and_see_each_others_opinions(
    tmp_path: Path, turn: int
) -> None:
    with two_processes(tmp_path, ["a", "b"], ["b", "a"]) as neighbours:
        assert [neighbour.wait(30) for neighbour in neighbours] == [0, 0], turn
    check_intact(tmp_path)
