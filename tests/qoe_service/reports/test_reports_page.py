"""What docs/reports.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.examination.flips import judgments_for
from qoe_service.reports.messages import MAX_RATINGS, MosReport, Rating, ReportRequest
from qoe_service.reports.rating_file import ratings_csv

PAGE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands_from_pictures_to_a_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    exec(blocks("python")[0], {})
    lines = [line for block in blocks("sh")[:2] for line in block.strip().splitlines()]
    assert [line.split()[:2] for line in lines] == [
        ["qoe", "score"], ["qoe", "report"], ["qoe", "report"],
    ]  # fmt: skip
    for line in lines:
        words = [
            str(path)
            for word in shlex.split(line)[1:]
            for path in (sorted(Path().glob(word)) if "*" in word else [word])
        ]
        shown = CliRunner().invoke(app, words)
        assert shown.exit_code == ExitCode.DONE, shown.output
    report = MosReport.model_validate_json(shown.stdout)
    assert report.method.items == 12
    assert report.method.conditions == "scenes drawn with seed 4"
    assert {factor.feature for factor in report.tastes} >= {"saturation", "brightness"}
    assert (tmp_path / "runs/report/report.html").is_file()


def test_the_columns_are_those_written():
    assert ratings_csv(()) == blocks("text")[0]


def test_the_python_example_asks_for_a_report(pixel_scorer):
    request = blocks("python")[1].split("with QoEClient")[0]
    names: dict[str, list[Rating]] = {}
    exec(request, names)
    assert pixel_scorer.report(ReportRequest(ratings=tuple(names["ratings"]))).items[0].mos


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (judgments_for(16, 4), "this costs calls: {:,} judgments"),
        (judgments_for(4, 2), "makes it {}"),
        (MAX_RATINGS, "may have {:,} places"),
    ],
)
def test_the_numbers_are_those_of_the_code(count, text):
    assert text.format(count) in " ".join(PAGE.split())
