"""What a running server makes of files that change under it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from qoe_service.errors import PersonaFileError
from qoe_service.persona_watch import PersonaWatch

SETTLE_S = 0.5
TEXT = """\
id: ana
name: Ana
norm: sapa-bfi25-adults
include: [fragments/phone.yaml]
traits: {openness: 1, conscientiousness: 0, extraversion: 0, agreeableness: 0, neuroticism: 0}
about: Reads on the tram.
weight: 2
"""
BEA = TEXT.replace("ana", "bea").replace("include: [fragments/phone.yaml]\n", "")


class Watching:
    """A watch over two personas and a fragment, with both clocks in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now_s, self.wall_ahead_s = folder, 0.0, 0.0
        (folder / "fragments").mkdir()
        self.phone = folder / "fragments" / "phone.yaml"
        self.ana, self.bea = folder / "ana.yaml", folder / "bea.yaml"
        self.phone.write_text("patience_s: 3\n")
        self.ana.write_text(TEXT)
        self.bea.write_text(BEA)
        self.watch = PersonaWatch(folder, settle_s=SETTLE_S, wall_s=self.wall_s)

    def wall_s(self) -> float:
        return time.time() + self.wall_ahead_s

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.wall_ahead_s += seconds

    def look(self):
        self.watch.look(self.now_s)
        return self.watch.personas()


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


def test_a_change_counts_once_it_has_been_left_alone(watching: Watching) -> None:
    watching.ana.write_text(TEXT.replace("tram", "bus"))
    assert watching.look()["ana"].about == "Reads on the tram."
    watching.later(2 * SETTLE_S)
    assert watching.look()["ana"].about == "Reads on the bus."


def test_the_first_look_after_a_long_silence_sees_a_change(watching: Watching) -> None:
    watching.ana.write_text(TEXT.replace("tram", "bus"))
    watching.later(3600)
    assert watching.look()["ana"].about == "Reads on the bus."


def test_files_dated_ahead_of_this_clock_are_watched_instead(watching: Watching) -> None:
    watching.wall_ahead_s = -3600
    watching.ana.write_text(TEXT.replace("tram", "bus"))
    assert watching.look()["ana"].about == "Reads on the tram."
    watching.later(SETTLE_S)
    assert watching.look()["ana"].about == "Reads on the bus."


def test_a_file_written_in_pieces_is_never_seen_in_part(watching: Watching) -> None:
    """Cut off in `about`, it would be another person of the default weight."""
    text = TEXT.replace("tram", "bus")
    for end in range(len(text)):
        watching.ana.write_text(text[:end])
        watching.now_s += SETTLE_S / 10
        seen = watching.look()["ana"]
        assert (seen.about, seen.weight) == ("Reads on the tram.", 2)
    watching.ana.write_text(text)
    watching.later(2 * SETTLE_S)
    assert watching.look()["ana"].about == "Reads on the bus."


def test_one_file_that_never_rests_holds_up_no_other(watching: Watching) -> None:
    watching.bea.write_text(BEA.replace("tram", "bus"))
    watching.later(SETTLE_S)
    watching.wall_ahead_s = -3600
    for attempt in range(5):
        watching.ana.write_text(TEXT + f"# {attempt}\npatience_s: {attempt + 9}\n")
        watching.now_s += SETTLE_S
        seen = watching.look()
    assert seen["bea"].about == "Reads on the bus."
    assert seen["ana"].patience_s == 3


def test_a_changed_fragment_changes_who_includes_it(watching: Watching) -> None:
    before = watching.look()
    watching.phone.write_text("patience_s: 5\n")
    watching.later(2 * SETTLE_S)
    after = watching.look()
    assert (before["ana"].patience_s, after["ana"].patience_s) == (3, 5)
    assert before["ana"].content_hash != after["ana"].content_hash
    assert before["bea"] is after["bea"]


@pytest.mark.parametrize("how", ["broken", "gone"])
def test_who_includes_a_lost_fragment_stays_who_they_were(watching: Watching, how: str) -> None:
    watching.phone.write_text("patience_s: [") if how == "broken" else watching.phone.unlink()
    watching.later(2 * SETTLE_S)
    assert watching.look()["ana"].patience_s == 3
    (problem,) = watching.watch.problems()
    assert Path(problem.file) == watching.ana
    watching.phone.write_text("patience_s: 4\n")
    watching.later(2 * SETTLE_S)
    assert watching.look()["ana"].patience_s == 4
    assert watching.watch.problems() == ()


def test_a_fragment_newly_included_is_watched_from_then_on(watching: Watching) -> None:
    desk = watching.folder / "fragments" / "desk.yaml"
    desk.write_text("patience_s: 20\n")
    watching.bea.write_text(BEA + "include: [fragments/desk.yaml]\n")
    watching.later(2 * SETTLE_S)
    assert watching.look()["bea"].patience_s == 20
    desk.write_text("patience_s: 21\n")
    watching.later(2 * SETTLE_S)
    assert watching.look()["bea"].patience_s == 21


def test_a_file_away_for_a_moment_is_not_gone(watching: Watching) -> None:
    """As editors do it, which put the old version aside before they write the new one."""
    aside = watching.ana.rename(watching.folder / "ana.yaml~")
    assert "ana" in watching.look()
    aside.rename(watching.ana)
    watching.later(2 * SETTLE_S)
    assert "ana" in watching.look()
    watching.ana.unlink()
    watching.later(2 * SETTLE_S)
    assert watching.look().keys() == {"bea"}


def test_a_file_that_takes_anothers_place_is_seen_whatever_its_date(watching: Watching) -> None:
    before = watching.ana.stat()
    other = watching.folder / "other"
    other.write_text(TEXT.replace("tram", "quay"))
    shutil.copystat(watching.ana, other)
    assert (other.stat().st_size, other.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    other.replace(watching.ana)
    watching.later(2 * SETTLE_S)
    assert watching.look()["ana"].about == "Reads on the quay."


def test_a_file_ending_in_yml_is_not_lost_in_silence(watching: Watching) -> None:
    watching.bea.rename(watching.bea.with_suffix(".yml"))
    with pytest.raises(PersonaFileError, match="rename it to bea"):
        PersonaWatch(watching.folder, settle_s=0)
