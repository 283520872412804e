"""`qoe judges calibrate` from the shell, and what the others say when its file is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.judges.tier_map_file import read_tier_maps
from tests.qoe_service.judges.test_tier_map_file import stored

Run = Callable[..., Result]


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    return tmp_path / "maps.json"


@pytest.fixture
def qoe(monkeypatch: pytest.MonkeyPatch, persona_folder: Path, maps: Path) -> Run:
    """`qoe ARGUMENTS` with CLIP above pixel, a panel of three, and no maps yet."""
    monkeypatch.setenv("QOE_TIERS", "clip,pixel")
    monkeypatch.setenv("QOE_CACHE", str(maps.parent / "cache"))
    monkeypatch.setenv("QOE_CALIBRATION", str(maps))
    monkeypatch.setenv("QOE_PERSONAS", str(persona_folder))
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def scales(qoe: Run) -> list[str | None]:
    listed = qoe("judges", "--json").stdout
    return [json.loads(line)["own_scale"] for line in listed.splitlines()]


def test_drawn_pictures_are_judged_by_all_and_the_map_is_used(qoe: Run, maps: Path) -> None:
    assert scales(qoe) == [None, "not calibrated to clip; `qoe judges calibrate`"]
    assert "scale of its own: not calibrated" in qoe("judges").stdout
    shown = qoe("judges", "calibrate", "--count", "64", "--panel", "2")
    assert shown.exit_code == ExitCode.DONE
    for word in ("pixel as clip", "128 of 64", "->", f"wrote {maps}"):
        assert word in shown.stdout
    assert "clip, pixel: 64 pictures x 2 personas" in shown.stderr
    assert scales(qoe) == [None, None]
    assert "its own" not in qoe("judges").stdout

    # It is fitted to what the tiers say of themselves, not to what it said of them before.
    again = qoe("judges", "calibrate", "--count", "64", "--panel", "2", "--json")
    (kept,) = read_tier_maps(maps).maps
    assert json.loads(again.stdout)["tier_map"] == json.loads(kept.tier_map.model_dump_json())
    assert f"{kept.tier_map.residual_sd:.2f}" in shown.stdout
    assert kept.lower.calibration == "drawn-3000-seed-0"


def test_too_little_in_common_is_told_and_kept_nowhere(qoe: Run, maps: Path) -> None:
    shown = qoe("judges", "calibrate", "--count", "20")
    assert shown.exit_code == ExitCode.NEGATIVE
    assert "60 opinions of 20 pictures in common" in shown.stdout.replace("\n", " ")
    assert not maps.exists()
    as_json = qoe("judges", "calibrate", "--count", "20", "--json")
    assert as_json.exit_code == ExitCode.NEGATIVE
    assert json.loads(as_json.stdout)["tier_map"] is None


@pytest.mark.parametrize(
    ("environment", "arguments", "code", "told"),
    [
        ({"QOE_CALIBRATION": ""}, [], ExitCode.WRONG_CALL, "QOE_CALIBRATION is empty"),
        ({"QOE_TIERS": "pixel"}, [], ExitCode.WRONG_CALL, "pixel alone"),
        ({"QOE_TIERS": "vlm,pixel"}, [], ExitCode.NEGATIVE, "set QOE_VLM_MODEL"),
        ({}, ["--personas", "bob"], ExitCode.WRONG_CALL, "did you mean 'bo'"),
        ({}, ["--personas", "bo", "--panel", "2"], ExitCode.WRONG_CALL, "not both"),
        ({}, ["--panel", "9"], ExitCode.WRONG_CALL, "a panel of 9"),
        ({}, ["--items", "ITEMS", "--count", "9"], ExitCode.WRONG_CALL, "not both"),
        ({}, ["--items", "ITEMS"], ExitCode.WRONG_CALL, "items.csv:2: "),
    ],
)
def test_a_wrong_call_is_one_line_and_a_code(
    qoe: Run,
    maps: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: list[str],
    code: ExitCode,
    told: str,
) -> None:
    items = maps.with_name("items.csv")
    items.write_text("image,prompt\nnowhere.png,a dog\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = [str(items) if argument == "ITEMS" else argument for argument in arguments]
    shown = qoe("judges", "calibrate", *given)
    assert shown.exit_code == code
    assert told in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert not maps.exists()


@pytest.mark.parametrize(
    "command", [["judges"], ["judges", "calibrate"], ["serve", "--port", "0"]], ids=" ".join
)
def test_a_damaged_file_is_named_wherever_it_would_be_used(
    qoe: Run, maps: Path, command: list[str]
) -> None:
    maps.write_text('{"version": 1, "maps": [{')
    shown = qoe(*command)
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert f"{maps} is damaged" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert shown.stdout == ""


def test_maps_for_other_judges_are_seen_to_be_stale(qoe: Run, maps: Path) -> None:
    other = stored().model_dump() | {"tier_map": stored().tier_map.model_dump()}
    other["primary"] |= {"tier": "clip", "name": "ViT-B-32"}
    other["lower"] |= {"tier": "pixel", "name": "pixel-measures"}
    maps.write_text(json.dumps({"version": 1, "maps": [other]}))
    assert scales(qoe)[1].startswith(
        "its calibration is stale: the name of clip was 'ViT-B-32' and is 'tinyworld-clip'"
    )
