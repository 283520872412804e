"""`qoe score --ratings` and `qoe report`: a pipeline, and what it says of wrong files."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.population_files import read_population
from qoe_service.ratings import Ratings
from qoe_service.reports.messages import MosReport
from qoe_service.reports.rating_file import numbers_of_items, sources_in
from tests.qoe_service.reports.studies import people, study


@pytest.fixture
def qoe(monkeypatch, persona_folder):
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    monkeypatch.setenv("QOE_PERSONAS", str(persona_folder))
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for number, pixels in enumerate(
        np.random.default_rng(7).integers(0, 256, (5, 32, 48, 3), dtype=np.uint8)
    ):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels // (number + 1)).save(paths[-1])
    return paths


def write(path, ratings: Ratings, **more: str):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "rater", "score", *more])
        for item, row in zip(ratings.items, ratings.scores, strict=True):
            for rater, score in zip(ratings.raters, row, strict=True):
                writer.writerow([item, rater, "" if np.isnan(score) else score, *more.values()])
    return path


def test_from_pictures_to_a_report(qoe, pictures, tmp_path):
    ratings, page = tmp_path / "ratings.csv", tmp_path / "report.html"
    broken = tmp_path / "broken.png"
    broken.write_text("not a picture")
    scored = qoe("score", *pictures, broken, "--prompt", "a slope", "--ratings", ratings)
    assert scored.exit_code == ExitCode.DONE
    shown = qoe("report", ratings, "--out", page)
    assert shown.exit_code == ExitCode.DONE, shown.stderr
    for word in ("amelia", "0.png", "of the variance", "broken.png", "what this cannot say"):
        assert word in shown.stdout
    assert "<svg" in page.read_text()
    report = MosReport.model_validate_json(qoe("report", ratings, "--json").stdout)
    assert report.method.rater_count == 3
    assert report.method.sources[0].tier == "pixel"
    assert report.method.sources[0].ratings == 15
    assert report.method.missing == 3
    assert report.method.raters.startswith("3 simulated raters")


def test_picture_files_are_measured_for_tastes(qoe, pictures, tmp_path):
    people = tmp_path / "people.yaml"
    people.write_text(qoe("personas", "sample", "--n", "8").stdout)
    raters = tuple(person.id for person in read_population(people).personas)
    table = Ratings(tuple(map(str, pictures)), raters, study(items=5, raters=8).ratings.scores)
    ratings = write(tmp_path / "r.csv", table)
    known = qoe("report", ratings, "--population", people, "--json")
    report = MosReport.model_validate_json(known.stdout)
    assert {factor.feature for factor in report.tastes} >= {"saturation", "brightness"}
    unknown = MosReport.model_validate_json(qoe("report", ratings, "--json").stdout)
    assert "no tastes by trait and feature: traits of all raters are not known" in unknown.limits
    pictures[0].unlink()
    gone = qoe("report", ratings, "--population", people, "--json")
    missing = "no tastes by trait and feature: features of the items are not known"
    assert missing in MosReport.model_validate_json(gone.stdout).limits


def test_people_anchors_features_and_a_recorded_run(qoe, pictures, tmp_path, monkeypatch):
    given = study(items=12, raters=6)
    ratings = write(tmp_path / "r.csv", given.ratings)
    human = write(tmp_path / "h.csv", people(given))
    features = tmp_path / "f.csv"
    features.write_text(
        "item,saturation\n" + "".join(f"{i},{n}\n" for n, i in enumerate(given.ratings.items))
    )
    shown = qoe(
        "report", ratings, "--human", human, "--anchors", human, "--features", features,
        "--conditions", "twelve slopes", "--json",
    )  # fmt: skip
    report = MosReport.model_validate_json(shown.stdout)
    assert report.people is not None
    assert report.anchoring is not None
    assert report.method.conditions == "twelve slopes"
    monkeypatch.setenv("QOE_RECORD", str(tmp_path / "runs"))
    qoe("score", *pictures, "--prompt", "a slope")
    monkeypatch.delenv("QOE_RECORD")
    run = qoe("report", "--record", tmp_path / "runs", "--run", "unnamed", "--json")
    assert MosReport.model_validate_json(run.stdout).method.items == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item,rater\na,b\n", "no column score"),
        ("item,rater,score\na,b,9\n", "2: column score: '9' is not a number from 1 to 5"),
        ("item,rater,score\na,b,nan\n", "2: column score"),
        ("item,rater,score\na,b,\n", "no ratings"),
        ("item,rater,score\na,b,3\na,b,4\n", "already in line 2"),
        ("item,rater,score,tier,judge\na,b,3,clip,x\n", "2: column revision: Field required"),
        ("item,rater,score,tier,judge,revision,interview\na,b,3,clip,x,1,maybe\n", "interview"),
    ],
)
def test_wrong_files_are_told_by_line_and_column(qoe, tmp_path, text, told):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    shown = qoe("report", path)
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert told in shown.stderr
    assert "wrong.csv" in shown.stderr


def test_wrong_calls(qoe, tmp_path):
    ratings = write(tmp_path / "r.csv", study(items=3, raters=3).ratings)
    for arguments in ([], [ratings, "--record", tmp_path, "--run", "x"], ["--record", tmp_path]):
        assert qoe("report", *arguments).exit_code == ExitCode.WRONG_CALL
    features = tmp_path / "f.csv"
    for text, told in (
        (b"", "f.csv:1: no column item"),
        (b"name,x\na,1\n", "f.csv:1: no column item"),
        (b"item,x,x\na,1,2\n", "f.csv:1: column x is there twice"),
        (b"item,x\npicture-0,much\n", "f.csv:2: column x: 'much' is not a number"),
        (b"item,x\npicture-0,nan\n", "f.csv:2: column x: 'nan' is not a number"),
        (b"item,x\npicture-0\n", "f.csv:2: another number of fields"),
        (b"x,item\n1\n", "f.csv:2: another number of fields"),
        (b"item,x\n ,1\n", "f.csv:2: column item: is empty"),
        (b"item,x\na,1\na,2\n", "f.csv:3: column item: a is there already"),
        (b"item,x\n\xff,1\n", "f.csv: not UTF-8"),
    ):
        features.write_bytes(text)
        shown = qoe("report", ratings, "--features", features)
        assert shown.exit_code == ExitCode.WRONG_CALL
        assert told in shown.stderr


def test_sources_and_features_of_files(tmp_path):
    table = study(items=2, raters=2).ratings
    path = write(tmp_path / "r.csv", table, tier="vlm", judge="m", revision="1", prompt="p@1+a")
    (source,) = sources_in(path)
    assert (source.tier, source.prompt, source.ratings) == ("vlm", "p@1+a", 4)
    assert sources_in(write(tmp_path / "s.csv", table)) == ()
    features = tmp_path / "f.csv"
    features.write_text("item,red\na,0.5\nb,1\n")
    assert numbers_of_items(features) == {"a": {"red": 0.5}, "b": {"red": 1.0}}
