from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.provider.day_files import Reader, Writer, file_of, read_entries, sum_up
from qoe_service.provider.spending import Entry, Spending, by_run, entry_of

DAY = date(2026, 3, 1)
ENTRY = Entry("r1", "judge-9", Spending(1, 800, 3, 0.25), 1_772_323_200.0)


def write(folder, *entries):
    writer = Writer(folder)
    for entry in entries:
        writer.write(entry)
    writer.close()


def test_what_is_written_is_read(tmp_path):
    other = Entry("r2", "judge-9", Spending(1, 10, 1, 0.5, 1), ENTRY.at_s)
    write(tmp_path, ENTRY, other)
    write(tmp_path, ENTRY)
    assert list(read_entries(tmp_path)) == [ENTRY, other, ENTRY]
    assert file_of(tmp_path, DAY).exists()
    assert by_run(read_entries(tmp_path)) == {
        "r1": Spending(2, 1600, 6, 0.5),
        "r2": Spending(1, 10, 1, 0.5, 1),
    }


def test_a_missing_folder_holds_nothing(tmp_path):
    assert list(read_entries(tmp_path / "none")) == []
    assert Reader(tmp_path / "none").news(DAY) == []


@given(cut=st.integers(1, 60))
def test_a_torn_line_costs_only_itself(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("torn")
    write(folder, ENTRY, ENTRY)
    path = file_of(folder, DAY)
    path.write_bytes(path.read_bytes()[:-cut])
    before = len(list(read_entries(folder)))
    assert before == (2 if cut == 1 else 1)
    write(folder, ENTRY)
    assert list(read_entries(folder)) == [ENTRY] * (before + 1)


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path):
    write(tmp_path, ENTRY)
    path, reader = file_of(tmp_path, DAY), Reader(tmp_path)
    line = ENTRY.line()
    with path.open("ab", buffering=0) as file:
        assert reader.news(DAY) == [ENTRY]
        file.write(line[:40])
        assert reader.news(DAY) == []
        file.write(line[40:])
        assert reader.news(DAY) == [ENTRY]
        assert reader.news(DAY) == []


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        "17",
        "not json",
        '{"run": "r1"}',
        ENTRY.line().decode().replace("800", "-1").strip(),
        ENTRY.line().decode().replace("800", '"many"').strip(),
        ENTRY.line().decode().replace('"r1"', "1").strip(),
        "\x00\x00",
    ],
)
def test_lines_that_are_no_entries_are_told_and_skipped(tmp_path, caplog, line):
    write(tmp_path, ENTRY)
    with file_of(tmp_path, DAY).open("a") as file:
        file.write(line + "\n")
    assert list(read_entries(tmp_path)) == [ENTRY]
    assert "is no entry" in caplog.text


AMOUNTS = st.integers(0, 10**9)
ENTRIES = st.builds(
    Entry,
    run=st.sampled_from(["r1", "r2", "Lauf \u2713", 'a "quoted"\nname']),
    model=st.sampled_from(["judge-8", "judge-9"]),
    spending=st.builds(
        Spending, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS.map(lambda n: n / 1024), AMOUNTS, AMOUNTS
    ),
    at_s=st.just(ENTRY.at_s),
)


@given(entries=st.lists(ENTRIES, max_size=30))
def test_summing_up_keeps_every_sum(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("sums")
    write(folder, *entries)
    before = by_run(read_entries(folder))
    size = sum(path.stat().st_size for path in folder.iterdir())
    for _ in range(2):
        sum_up(folder, date(2026, 3, 3))
        assert by_run(read_entries(folder)) == before
        assert len(list(read_entries(folder))) <= 8 or size == 0
    assert all(entry_of(entry.line()) == entry for entry in entries)


def test_files_that_may_still_be_written_to_are_left_alone(tmp_path):
    write(tmp_path, ENTRY, ENTRY)
    before = file_of(tmp_path, DAY).read_bytes()
    sum_up(tmp_path, date(2026, 3, 2))
    assert file_of(tmp_path, DAY).read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from qoe_service.provider.day_files import Writer
from qoe_service.provider.spending import Entry, Spending
writer = Writer(Path(sys.argv[1]))
for number in range(10**9):
    writer.write(Entry(sys.argv[2], "m", Spending(1, number), 0.0))
    print(number, flush=True)
"""


def test_two_writers_killed_in_the_act_lose_nothing_they_had_written(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), run], stdout=subprocess.PIPE, text=True
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
    entries = list(read_entries(tmp_path))
    for run, count in written.items():
        numbers = [entry.spending.input_tokens for entry in entries if entry.run == run]
        assert numbers == list(range(len(numbers)))
        assert count <= len(numbers) <= count + 1
