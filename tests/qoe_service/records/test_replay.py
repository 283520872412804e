"""What was said is said again: in the same order, at no cost, or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from qoe_service.errors import NoRecord, UnknownTier, UnusableRecord
from qoe_service.judges import Deadline
from qoe_service.judges.ladder import Ladder
from qoe_service.records.recording import Recording
from qoe_service.records.replay import Replay
from qoe_service.records.run_file import path_of, read
from tests.qoe_service.records.answering import PANEL, Moody, ask, case, recorded, told


def test_the_same_is_told_at_no_cost(tmp_path: Path) -> None:
    recording = recorded(tmp_path, fails_on="cat")
    first = ask(recording, case(1), case(2, "a cat"), case(3, "Größe!\n\u2028", delay_s=2.5))
    second = ask(recording, case(1), tier="vlm", panel=PANEL[:2])
    assert first.opinions.forwards == 7
    replay = Replay(tmp_path)
    again = ask(replay, case(1), case(2, "a cat"), case(3, "Größe!\n\u2028", delay_s=2.5))
    assert told(again) == told(first)
    assert list(again.opinions.failures) == [1]
    assert (again.opinions.forwards, again.opinions.tokens) == (0, 0)
    assert told(ask(replay, case(1), tier="vlm", panel=PANEL[:2])) == told(second)


def test_the_nth_time_gets_the_nth_verdict(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    said = [told(ask(recording, case(1))) for _ in range(3)]
    assert said[0] != said[1] != said[2]  # or the order could not be told
    twice = told(ask(recording, case(1), case(1)))
    replay = Replay(tmp_path)
    assert [told(ask(replay, case(1))) for _ in range(3)] == said
    assert told(ask(replay, case(1), case(1))) == twice


def test_how_cases_are_put_together_does_not_matter(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    ask(recording, case(1), case(2))
    ask(recording, case(3))
    replay = Replay(tmp_path)
    rows = {shade: ask(replay, case(shade)).opinions.scores.tolist()[0] for shade in (3, 2, 1)}
    together = ask(Replay(tmp_path), case(1), case(2), case(3)).opinions.scores.tolist()
    assert together == [rows[1], rows[2], rows[3]]


def test_runs_are_apart_and_the_nameless_is_one_of_them(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    said = {run: told(ask(recording, case(1, run=run))) for run in ("a/../b", None, "ü")}
    replay = Replay(tmp_path)
    assert {run: told(ask(replay, case(1, run=run))) for run in said} == said
    with pytest.raises(NoRecord, match=r"no record of run 'c'.*'a/\.\./b'"):
        ask(replay, case(1, run="c"))
    with pytest.raises(NoRecord, match="number 2"):
        ask(replay, case(1, run="unnamed"))


@pytest.mark.parametrize(
    ("asked", "changes", "why"),
    [
        (case(9), {}, "picture .* was never judged in it"),
        (case(1, "a cat"), {}, "'a cat'.*with another prompt;"),
        (case(1, delay_s=1.5), {}, "1.5 s of delay.*with another delay;"),
        (case(1), {"tier": "clip"}, "tier 'clip'.*with another tier;"),
        (case(1), {"panel": PANEL[:1]}, f"personas {PANEL[0].id},.*with another panel"),
    ],
)
def test_a_missing_verdict_is_an_error_that_says_what_differs(
    tmp_path: Path, asked: object, changes: dict[str, object], why: str
) -> None:
    ask(recorded(tmp_path), case(1), case(2))
    with pytest.raises(NoRecord, match=why):
        ask(Replay(tmp_path), asked, **changes)


def test_a_request_that_lacks_a_verdict_uses_none_up(tmp_path: Path) -> None:
    said = told(ask(recorded(tmp_path), case(1)))
    replay = Replay(tmp_path)
    with pytest.raises(NoRecord):
        ask(replay, case(1), case(2))
    assert told(ask(replay, case(1))) == said
    with pytest.raises(NoRecord, match=r"number 2 .*is number 1; restart the service"):
        ask(replay, case(1))


def test_a_missing_verdict_may_be_the_torn_line(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    ask(recording, case(1))
    ask(recording, case(2))
    path = path_of(tmp_path, "unnamed")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(NoRecord, match=r"never judged.*last line of the record is torn"):
        ask(Replay(tmp_path), case(2))


def test_no_cases_need_no_record(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    assert ask(recording).opinions.scores.shape == (0, len(PANEL))
    assert list(tmp_path.iterdir()) == []
    ask(recording, case(1))
    assert ask(Replay(tmp_path)).opinions.scores.shape == (0, len(PANEL))


def test_a_tier_that_is_not_there_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(UnknownTier):
        ask(recorded(tmp_path), case(1), tier="oracle")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_records_cannot_be_replayed(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UnusableRecord, match="QOE_RECORD"):
            Replay(folder)


def test_deadlines_are_the_recorded_runs_business(tmp_path: Path) -> None:
    said = told(ask(recorded(tmp_path), case(1)))
    replay = Replay(tmp_path)
    passed = Deadline(at_s=0.0)
    assert not replay.reading_until(passed).passed
    assert told(replay.verdicts([case(1)], PANEL, tier=None, deadline=passed)) == said


def test_the_folder_is_the_one_rung_and_says_when_it_is_gone(tmp_path: Path) -> None:
    ask(recorded(tmp_path), case(1))
    replay = Replay(tmp_path)
    (info,) = replay.infos()
    assert (info.tier, info.judge, info.ready) == ("replay", str(tmp_path), True)
    path_of(tmp_path, "unnamed").unlink()
    (info,) = replay.infos()
    assert not info.ready
    assert str(tmp_path) in info.reason


def test_what_a_judge_said_of_itself_is_recorded_as_it_was(tmp_path: Path) -> None:
    judge = Moody()
    recording = Recording(Ladder([judge]), tmp_path)
    first = ask(recording, case(1))
    judge.extraction = "another way"
    assert first.judges[0].extraction == "mood"
    ask(recording, case(2))
    replayed = ask(Replay(tmp_path), case(1), case(2))
    assert [by.extraction for by in replayed.judges] == ["mood", "another way"]


def test_threads_record_and_replay_together(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    said: dict[tuple[int, int], object] = {}

    def run(bench: Recording | Replay, thread: int, into: dict[tuple[int, int], object]) -> None:
        for turn in range(20):
            mine = (case(thread, f"wish {turn}"), case(thread, f"wish {turn % 5}", delay_s=1.0))
            into[thread, turn] = told(ask(bench, *mine))

    def all_at_once(bench: Recording | Replay, into: dict[tuple[int, int], object]) -> None:
        threads = [threading.Thread(target=run, args=(bench, i, into)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_at_once(recording, said)
    assert len(read(path_of(tmp_path, "unnamed")).answered) == len(said) == 160
    again: dict[tuple[int, int], object] = {}
    all_at_once(Replay(tmp_path), again)
    assert again == said
