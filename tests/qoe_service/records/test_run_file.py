"""The file of a run: many writers, sudden ends, and what it refuses to read."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.errors import UnusableRecord
from qoe_service.records.answered import Answered
from qoe_service.records.run_file import VERSION, append, path_of, read, runs_in

RUN = "a run"

WRITER = """
import sys
from pathlib import Path
from qoe_service.records.answered import Answered
from qoe_service.records.run_file import append
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    said = Answered(panel=(f"{name}-{number}" * 2000,), tier=None, judges={}, cases=())
    append(path, "a run", said)
    if number == 0:
        print("begun", flush=True)
"""


def line(name: str) -> Answered:
    return Answered(panel=(name,), tier=None, judges={}, cases=())


def names(path: Path) -> list[str]:
    return [answered.panel[0] for answered in read(path).answered]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(tmp_path, RUN)


@pytest.fixture
def write(path: Path) -> Callable[..., None]:
    def write(*lines: str) -> None:
        for name in lines:
            append(path, RUN, line(name))

    return write


def test_what_is_written_is_read_in_order(path: Path, write: Callable[..., None]) -> None:
    write("one", "two")
    write("three")
    assert names(path) == ["one", "two", "three"]
    assert runs_in(path.parent) == {RUN: path}


@given(runs=st.lists(st.text(min_size=1, max_size=200), min_size=2, max_size=5, unique=True))
def test_no_two_runs_share_a_file(
    tmp_path_factory: pytest.TempPathFactory, runs: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    for run in runs:
        append(path_of(folder, run), run, line(run))
    found = runs_in(folder)
    assert {run: names(path) for run, path in found.items()} == {run: [run] for run in runs}
    assert all(path.parent == folder for path in found.values())


def test_names_that_differ_in_case_only_do_not_meet_where_case_is_nothing(tmp_path: Path) -> None:
    assert len({str(path_of(tmp_path, run)).lower() for run in ("Run", "run", "../run")}) == 3


@given(cut=st.integers(1, 400))
def test_half_a_line_is_left_out_and_told(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = path_of(tmp_path_factory.mktemp("torn"), RUN)
    for name in ("one", "two", "three"):
        append(path, RUN, line(name))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    left = path.read_bytes()
    kept = ["one", "two", "three"][: max(0, left.count(b"\n") - 1)]
    contents = read(path)
    assert [answered.panel[0] for answered in contents.answered] == kept
    assert contents.torn_bytes == len(left) - (left.rfind(b"\n") + 1)
    append(path, RUN, line("four"))  # the next writer clears up
    assert names(path) == [*kept, "four"]
    assert read(path).torn_bytes == 0


def test_a_torn_line_is_named(
    path: Path, write: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    write("one", "two")
    path.write_bytes(path.read_bytes()[:-9])
    read(path)
    assert f"{path}:3 is torn" in caplog.text


def test_a_damaged_line_is_an_error_that_names_it(path: Path, write: Callable[..., None]) -> None:
    write("one", "two")
    path.write_bytes(path.read_bytes().replace(b'"one"', b'"one'))
    with pytest.raises(UnusableRecord, match=f"{path.name}:2 is damaged"):
        read(path)


@pytest.mark.parametrize("use", [read, lambda path: runs_in(path.parent)])
def test_another_versions_record_is_refused(
    path: Path, write: Callable[..., None], use: Callable[[Path], object]
) -> None:
    write("one")
    written = path.read_bytes()
    path.write_bytes(written.replace(b'"version":%d' % VERSION, b'"version":%d' % (VERSION + 1)))
    with pytest.raises(UnusableRecord, match=f"version {VERSION + 1}.*record the run again"):
        use(path)
    with pytest.raises(UnusableRecord, match=f"version {VERSION + 1}"):
        write("two")
    path.write_bytes(b'{"something": "else"}\n')
    with pytest.raises(UnusableRecord, match="take the file away"):
        use(path)


def test_two_records_of_one_run_are_one_too_many(path: Path, write: Callable[..., None]) -> None:
    write("one")
    (path.parent / "copy.jsonl").write_bytes(path.read_bytes())
    with pytest.raises(UnusableRecord, match="both of run"):
        runs_in(path.parent)


def test_a_full_disk_is_told_and_leaves_no_half_line(
    path: Path, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("one")
    before, really_write = path.read_bytes(), os.write

    def fill_up(file: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really_write(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(UnusableRecord, match="No space left"):
        write("two")
    assert path.read_bytes() == before


def test_threads_do_not_write_into_each_others_lines(path: Path) -> None:
    def write(name: str) -> None:
        for number in range(50):
            append(path, RUN, line(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(str(name),)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_file = names(path)
    assert len(in_file) == len(set(in_file)) == 400
    for name in range(8):  # each thread's lines in its own order
        assert [n for n in in_file if n.startswith(f"{name}-")] == [
            f"{name}-{i}" for i in range(50)
        ]


def test_there_is_one_writer_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_write, inside, most_inside = os.write, 0, 0

    def write(file: int, data: bytes) -> int:
        nonlocal inside, most_inside
        inside += 1
        most_inside = max(inside, most_inside)
        time.sleep(0.005)
        inside -= 1
        return really_write(file, data)

    monkeypatch.setattr(os, "write", write)
    threads = [threading.Thread(target=append, args=(path, RUN, line("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_inside == 1
    assert names(path) == ["x"] * 8


def test_processes_share_a_file_and_one_that_is_killed_spoils_nothing(path: Path) -> None:
    def start(name: str, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with start("endless", 1_000_000) as endless, start("b", 60) as b, start("c", 60) as c:
        for process in (endless, b, c):
            assert process.stdout.readline() == "begun\n"
        endless.send_signal(signal.SIGKILL)
        assert (b.wait(30), c.wait(30), endless.wait(30)) == (0, 0, -signal.SIGKILL)
    append(path, RUN, line("after"))
    counts = Counter(name.partition("-")[0] for name in names(path))
    assert (counts["b"], counts["c"], counts["after"]) == (60, 60, 1)
    assert counts["endless"] >= 1
