"""What an experiment leaves can be made again from its findings, and read by others."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from allocator.experiments.findings import Findings
from allocator.experiments.intervals import Interval
from allocator.experiments.standings import Duel, Summary
from allocator.report.files import write_files
from allocator.report.paper import COLUMN_IN, PNG_DPI

FIGURES = ("learning-by-updates", "learning-by-seconds", "standings", "fairness")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@pytest.fixture
def written(findings: Findings, folder: Path) -> Path:
    if not (folder / "summary.json").exists():
        write_files(findings, folder)
    return folder


def names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def test_everything_is_there(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == {
        "report.html",
        "summary.json",
        "curves.json",
        "outcomes.npz",
        "table.tex",
        "figures",
    }
    assert {path.name for path in (written / "figures").iterdir()} == {
        f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "png")
    }


def test_summary_holds_what_it_promises(findings: Findings, written: Path) -> None:
    told = json.loads((written / "summary.json").read_text())
    assert told["judges"] == ["clip: some-clip", "pixel: <measures>"]
    assert set(told["agents"]) == set(findings.outcomes)
    for agent in told["agents"].values():
        for quantity in ("reward", "qoe", "energy_j", "worst_persona", "jain", "tenth_percentile"):
            assert set(agent[quantity]) == names(Summary)
        assert set(agent["share_of_optimum"]) == names(Interval)
    assert told["agents"]["gddpg"]["training"] == {"steps": 20, "updates": 80, "seconds": 60}
    assert "training" not in told["agents"]["greedy"]
    assert set(told["duels"]["gddpg"]["ddpg"]) == names(Duel)
    assert told["oracle"]["judgments"] == 400
    assert told["generator"]["denoising_steps_unshared"] == 500
    assert set(told["seconds"]) == {"total", "generating", "judging", "collecting", "learning"}
    assert told["manifest"] == {"command": "allocator demo"}


def test_raw_outcomes_give_the_numbers_of_the_summary(written: Path) -> None:
    told = json.loads((written / "summary.json").read_text())
    with np.load(written / "outcomes.npz", allow_pickle=False) as raw:
        assert raw["gddpg/reward"].shape == (3, 6)
        assert raw["gddpg/user_qoe"].shape == (3, 6, 4)
        assert raw["user_persona"].shape == (6, 4)
        assert list(raw["personas"]) == ["Ada", "Bo & <co>", "Cy", "Di", "Ed"]
        for agent, summary in told["agents"].items():
            assert raw[f"{agent}/reward"].mean() == pytest.approx(summary["reward"]["mean"])


def test_curves_are_told_run_by_run(findings: Findings, written: Path) -> None:
    told = json.loads((written / "curves.json").read_text())["ddpg"]
    assert set(told) == {"steps", "updates", "learning_s", "reward"}
    assert np.array_equal(told["reward"], findings.curves["ddpg"].reward)


def test_the_same_findings_leave_the_same_files(
    findings: Findings, written: Path, tmp_path: Path
) -> None:
    write_files(findings, tmp_path)
    for path in sorted(written.rglob("*.*")):
        if path.suffix != ".npz":  # a zip archive holds the time it was made
            again = tmp_path / path.relative_to(written)
            assert again.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("name", FIGURES)
def test_figures_fit_a_column_and_embed_their_fonts(written: Path, name: str) -> None:
    pdf = (written / "figures" / f"{name}.pdf").read_bytes()
    width_pt = float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", pdf)[1])
    assert width_pt == pytest.approx(72 * COLUMN_IN, abs=0.1)
    everything = pdf + b"".join(
        zlib.decompress(stream)
        for stream in re.findall(rb"stream\r?\n(x\x9c.*?)\r?\nendstream", pdf, flags=re.S)
    )
    assert b"/FontFile2" in everything
    assert b"/Type3" not in everything
    with Image.open(written / "figures" / f"{name}.png") as png:
        assert png.width == round(COLUMN_IN * PNG_DPI)
