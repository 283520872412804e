from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest

from qoe_service.provider.day_files import read_entries
from qoe_service.provider.ledger import Ledger
from qoe_service.provider.spending import Spending, by_run

CALL = Spending(1, 800, 3, 0.25)
DAY_S = 86_400.0
NOON_S = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


class Clock:
    now_s = NOON_S

    def __call__(self):
        return self.now_s


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "spending"


@pytest.mark.parametrize("kept", [True, False])
def test_adds_up_what_a_run_spent(folder, kept):
    ledger = Ledger(folder if kept else None)
    assert ledger.spent("r1") == Spending()
    ledger.append("r1", "judge-9", CALL)
    ledger.append("r1", "judge-8", CALL)
    ledger.append("r2", "judge-9", Spending(refused=1))
    assert ledger.spent("r1") == Spending(2, 1600, 6, 0.5)
    assert ledger.spent("r2") == Spending(refused=1)


def test_what_others_write_counts_at_once(folder):
    mine, theirs = Ledger(folder), Ledger(folder)
    theirs.append("r1", "judge-9", CALL)
    assert mine.spent("r1") == CALL
    mine.append("r1", "judge-9", CALL)
    theirs.append("r1", "judge-9", CALL)
    assert (
        mine.spent("r1") == theirs.spent("r1") == Ledger(folder).spent("r1") == CALL + CALL + CALL
    )


def test_a_disk_that_fails_is_told_and_its_entries_count_all_the_same(folder, caplog):
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    ledger = Ledger(folder)
    ledger.append("r1", "judge-9", CALL)
    assert "could not be written" in caplog.text
    assert ledger.spent("r1") == CALL


def test_a_closed_ledger_opens_again_for_another_entry(folder):
    ledger = Ledger(folder)
    ledger.append("r1", "judge-9", CALL)
    ledger.close()
    ledger.close()
    ledger.append("r1", "judge-9", CALL)
    assert ledger.spent("r1").calls == 2


def test_a_new_day_has_a_new_file_and_old_ones_are_summed_up(folder):
    clock = Clock()
    ledger = Ledger(folder, wall_clock=clock)
    for day in range(4):
        clock.now_s = NOON_S + day * DAY_S
        for _ in range(50):
            ledger.append("r1", "judge-9", CALL)
        for thread in threading.enumerate():
            if thread.name == "ledger-summing":
                thread.join()
    files = sorted(folder.iterdir())
    assert [file.stem for file in files] == [f"2026-03-0{day}" for day in range(1, 5)]
    assert [len(file.read_text().splitlines()) for file in files] == [1, 1, 50, 50]
    assert ledger.spent("r1").calls == 200
    assert by_run(read_entries(folder)) == {"r1": ledger.spent("r1")}


def test_who_follows_over_midnight_misses_nothing(folder):
    clock = Clock()
    mine, theirs = Ledger(folder, wall_clock=clock), Ledger(folder, wall_clock=clock)
    for calls, hours in enumerate((0, 6, 11, 12, 13, 30, 36, 60), start=1):
        clock.now_s = NOON_S + hours * 3600
        theirs.append("r1", "judge-9", CALL)
        if hours != 11:  # what came before midnight is read after it
            assert mine.spent("r1").calls == calls


def append_many(folder, name):
    ledger = Ledger(folder)
    for _ in range(200):
        ledger.append("shared", name, CALL)
        ledger.append(name, name, CALL)
    return ledger.spent(name).calls


def test_processes_share_a_folder(folder):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(append_many, [folder] * 2, ["a", "b"])) == [200, 200]
    assert Ledger(folder).spent("shared").calls == 400
