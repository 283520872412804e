"""`qoe personas check` finds what a server would stumble over, and what it would pass by."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.persona_check import files_in, problems_in


@pytest.fixture
def folder(persona_folder: Path, tmp_path: Path) -> Path:
    """Three personas and two fragments, one of which nobody includes."""
    copy = shutil.copytree(persona_folder, tmp_path / "people")
    (copy / "fragments").mkdir()
    (copy / "fragments" / "used.yaml").write_text("viewing:\n  device: laptop\n")
    (copy / "fragments" / "unused.yaml").write_text("patience_s: 3\n")
    with (copy / "bo.yaml").open("a") as file:
        file.write("include: [fragments/used.yaml]\n")
    return copy


@pytest.fixture
def check(folder: Path):
    def run(*paths: str):
        return CliRunner().invoke(app, ["personas", "check", *(str(folder / p) for p in paths)])

    return run


def told(folder: Path) -> list[str]:
    return [str(problem).replace(f"{folder}/", "") for problem in problems_in([folder])]


def test_a_folder_is_counted_by_what_is_in_it(check):
    assert check(".").stdout == "3 persona files and 2 fragment files are right\n"
    assert check("bo.yaml").stdout == "1 persona file is right\n"
    assert check("bo.yaml", "./bo.yaml", "amelia.yaml").stdout == "2 persona files are right\n"
    assert check("fragments/used.yaml").stdout == "1 fragment file is right\n"


def test_a_folder_of_one_population(folder, check):
    sampled = CliRunner().invoke(app, ["personas", "sample", "--n", "3", "--seed", "1"])
    (folder / "populations").mkdir()
    (folder / "populations" / "three.yaml").write_text(sampled.stdout)
    assert check(".").stdout.endswith("2 fragment files and 1 population file are right\n")
    wrong = sampled.stdout.replace("openness", "opennes", 1)
    (folder / "populations" / "three.yaml").write_text(wrong)
    assert check(".").exit_code == ExitCode.NEGATIVE


def test_a_fragment_that_nobody_includes_is_checked_too(folder):
    (folder / "fragments" / "unused.yaml").write_text("patience: 3\n")
    assert told(folder) == [
        "fragments/unused.yaml:1:1: patience: unknown key; did you mean 'patience_s'?"
    ]


def test_a_wrong_fragment_is_told_where_it_is_included(folder):
    (folder / "fragments" / "used.yaml").write_text("viewing:\n  device: radio\n")
    line = len((folder / "bo.yaml").read_text().splitlines())
    message = (
        "fragments/used.yaml:2:3: viewing.device: unknown 'radio'; known are phone, tablet, "
        "laptop, desktop, television"
    )
    # bo has a device of its own, which wins; the fragment is wrong all the same.
    assert told(folder) == [f"{message}, included by bo.yaml:{line}:11", message]


def test_an_id_in_two_files_is_told_at_the_second(folder, tmp_path, persona_folder):
    other = tmp_path / "others" / "bo.yaml"
    other.parent.mkdir()
    shutil.copy(persona_folder / "bo.yaml", other)
    problems = problems_in([folder, other])
    assert [str(problem) for problem in problems] == [
        f"{other}:2:1: id 'bo' is taken by {folder / 'bo.yaml'}:2:1"
    ]
    shutil.copy(persona_folder / "bo.yaml", folder / "bo-2.yaml")
    assert told(folder) == ["bo-2.yaml:2:1: id 'bo' must be the file's name 'bo-2'"]


def test_every_problem_of_every_file_is_told_at_once(folder, check):
    text = (folder / "amelia.yaml").read_text()
    (folder / "amelia.yaml").write_text(
        text.replace("openness: 1.5", "openness: 15").replace("sapa-bfi25-adults", "mars")
    )
    (folder / "chidi.yml").write_text("")
    shown = check(".")
    assert shown.exit_code == ExitCode.NEGATIVE
    lines = shown.stderr.replace(f"{folder}/", "").splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == [
        "persona files end in .yaml; rename it to chidi.yaml",
        "traits.openness: Input should be less than or equal to 4, got 15",
        "norm: unknown 'mars'; known are sapa-bfi25-adults, ipip-neo-120",
    ]


def test_the_chain_of_includes_is_told_to_programs(folder):
    (folder / "fragments" / "used.yaml").write_text("colour: red\n")
    arguments = ["personas", "check", str(folder / "bo.yaml"), "--json"]
    (problem,) = json.loads(CliRunner().invoke(app, arguments).stdout)["problems"]
    assert problem["source"] == str(folder / "fragments" / "used.yaml")
    assert problem["message"].startswith("colour: unknown key")
    (place,) = problem["included_by"]
    assert (place["source"], place["column"]) == (str(folder / "bo.yaml"), 11)


@pytest.mark.parametrize("name", ["none.yaml", "none/"])
def test_what_is_not_there_is_told(check, name):
    shown = check(name)
    assert shown.exit_code == ExitCode.NEGATIVE
    assert "No such file or directory" in shown.stderr


def test_an_empty_folder_is_told(tmp_path):
    (problem,) = problems_in([tmp_path])
    assert "holds no persona file" in problem.message
    assert files_in([tmp_path]) == []
