"""Recording and replaying as settings ask for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from qoe_service import Scorer
from qoe_service.cli import app
from qoe_service.errors import UnusableRecord
from qoe_service.judges.ladder import Bench, Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Persona, Registry
from qoe_service.records.recording import Recording
from qoe_service.records.replay import Replay
from qoe_service.records.run_file import path_of, read
from qoe_service.schemas import RewardsReply, Status
from qoe_service.serving import introduction
from qoe_service.settings import Settings
from tests.qoe_service.records.answering import ask, case, recorded

REPLAY = """
import sys
import numpy as np
from qoe_service import Scorer, Settings
with Scorer.from_settings(Settings()) as scorer:
    pictures = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    print(scorer.rewards(pictures, ["a dog"], personas=["bo"]).rewards[0])
print({"torch", "open_clip", "langchain_core", "openai"} & set(sys.modules))
"""


def rewards(scorer: Scorer, **changes: object) -> RewardsReply:
    pictures = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    return scorer.rewards(pictures, ["a dog"], personas=["bo"], **changes)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Of one request, `rewards`."""
    folder = tmp_path / "deep" / "records"
    with Scorer.from_settings(Settings(tiers=("pixel",), record=folder)) as scorer:
        rewards(scorer)
    return folder


def test_a_service_records_or_replays_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="QOE_RECORD and QOE_REPLAY are both set"):
        Settings(record=tmp_path, replay=tmp_path)


def test_empty_means_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QOE_RECORD", "")
    monkeypatch.setenv("QOE_REPLAY", "")
    assert (Settings().record, Settings().replay) == (None, None)


def test_a_replay_loads_no_judge(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QOE_REPLAY", str(records))
    monkeypatch.setenv("QOE_TIERS", "vlm,clip")
    said = subprocess.run(
        [sys.executable, "-c", REPLAY], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    with Scorer.from_settings(Settings(tiers=("pixel",))) as scorer:
        assert said[:2] == [str(rewards(scorer).rewards[0]), "set()"]


def test_the_judges_of_a_replay_are_its_folder(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QOE_REPLAY", str(records))
    shown = CliRunner().invoke(app, ["judges", "--json"])
    assert shown.exit_code == 0, shown.output
    assert f'"tier":"replay","judge":"{records}"' in shown.output
    assert '"ready":true' in shown.output


def test_a_record_of_another_version_is_told_before_anything_is_served(records: Path) -> None:
    path = path_of(records, "unnamed")
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":99'))
    with pytest.raises(UnusableRecord, match="is of version 99"):
        Scorer.from_settings(Settings(replay=records))


class SlowRegistry(Registry):
    """Takes longer to find people than anybody waits."""

    def by_id(self) -> dict[str, Persona]:
        time.sleep(0.01)
        return super().by_id()


def late(bench: Bench) -> RewardsReply:
    with Scorer(bench, SlowRegistry()) as scorer:
        return rewards(scorer, deadline_ms=1)


def test_pictures_that_came_too_late_are_on_record_too(tmp_path: Path) -> None:
    assert late(Ladder([PixelJudge()])).statuses == (Status.DEADLINE,)
    first = late(Recording(Ladder([PixelJudge()]), tmp_path))
    assert len(read(path_of(tmp_path, "unnamed")).answered) == 1
    again = late(Replay(tmp_path))
    # Whether the look for lettering was in time as well is not the judges' business.
    assert again.model_copy(update={"text_overlays": first.text_overlays}) == first


def test_a_recorded_run_is_added_to_after_a_restart(tmp_path: Path) -> None:
    said = [ask(recorded(tmp_path), case(1)).opinions.scores.tolist() for _ in range(2)]
    replay = Replay(tmp_path)
    assert [ask(replay, case(1)).opinions.scores.tolist() for _ in range(2)] == said


def test_whoever_starts_the_server_is_told_where_its_records_are(tmp_path: Path) -> None:
    recording = Settings(tiers=("pixel",), record=tmp_path / "records", cache=None)
    with Scorer.from_settings(recording) as scorer:
        assert f"records  {tmp_path}/records" in introduction("http://here", scorer, recording)
        assert "records" not in introduction("http://here", scorer, Settings(cache=None))
