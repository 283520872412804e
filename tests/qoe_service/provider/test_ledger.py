from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.provider.ledger import Entry, Ledger, Spending, read_ledger, spending_by_run

ENTRY = Entry("r1", "judge-9", 800, 3, 0.25, False, 1.7e9)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spending" / "ledger.jsonl"


def write(path, *entries):
    ledger = Ledger(path)
    for entry in entries:
        ledger.append(entry)
    ledger.close()


def test_what_is_written_is_read(path):
    other = Entry("r2", "judge-9", 10, 1, 0.5, True, 1.7e9)
    write(path, ENTRY, other)
    write(path, ENTRY)
    assert list(read_ledger(path)) == [ENTRY, other, ENTRY]
    assert spending_by_run(path) == {
        "r1": {"judge-9": Spending(2, 1600, 6, 0.5, 0)},
        "r2": {"judge-9": Spending(1, 10, 1, 0.5, 1)},
    }


def test_a_missing_file_holds_nothing(path):
    assert list(read_ledger(path)) == []


@given(cut=st.integers(1, 60))
def test_a_torn_line_costs_only_itself(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "ledger.jsonl"
    write(path, ENTRY, ENTRY)
    path.write_bytes(path.read_bytes()[:-cut])
    before = len(list(read_ledger(path)))
    assert before == (2 if cut == 1 else 1)
    write(path, ENTRY)
    assert list(read_ledger(path)) == [ENTRY] * (before + 1)


@pytest.mark.parametrize(
    "line",
    ["[]", "{}", "17", "not json", '{"run": "r1"}', '{"run": "r1", "cost": -1}', "\x00\x00"],
)
def test_lines_that_are_no_entries_are_told_and_skipped(path, caplog, line):
    write(path, ENTRY)
    with path.open("a") as file:
        file.write(line + "\n")
    assert list(read_ledger(path)) == [ENTRY]
    assert ":2 is not an entry" in caplog.text


def test_a_full_disk_is_told_and_stops_nobody(path, caplog):
    ledger = Ledger(path)
    ledger.close()
    ledger.append(ENTRY)
    assert "could not be written" in caplog.text


WRITER = """
import sys
from pathlib import Path
from qoe_service.provider.ledger import Entry, Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(10**9):
    ledger.append(Entry(sys.argv[2], "m", number, 1, 0.5, False, 0.0))
    print(number, flush=True)
"""


def test_two_writers_killed_in_the_act_lose_nothing_they_had_written(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), run], stdout=subprocess.PIPE, text=True
        )
        for run in ("r1", "r2")
    ]
    written = {}
    for run, writer in zip(("r1", "r2"), writers, strict=True):
        assert writer.stdout is not None
        for _ in range(200):
            line = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        told = [int(line), *(int(rest) for rest in writer.stdout if rest.endswith("\n"))]
        written[run] = max(told) + 1
        writer.wait()
        writer.stdout.close()
    entries = list(read_ledger(path))
    for run, count in written.items():
        numbers = [entry.input_tokens for entry in entries if entry.run == run]
        assert numbers == list(range(len(numbers)))
        assert count <= len(numbers) <= count + 1
