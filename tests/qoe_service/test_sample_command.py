"""`qoe personas sample`, and asking a panel of what it wrote."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.population_files import parse_population, read_population
from qoe_service.schemas import ScoreReply

SAMPLE = ("personas", "sample", "--n", "30", "--norm", "ipip-neo-120", "--age", "21-40")


@pytest.fixture
def qoe(monkeypatch, persona_folder):
    """Run `qoe ARGUMENTS` with the pixel judge and the test's personas."""
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    monkeypatch.setenv("QOE_PERSONAS", str(persona_folder))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def picture(tmp_path, png_bytes):
    path = tmp_path / "slope.png"
    path.write_bytes(png_bytes)
    return str(path)


@pytest.fixture
def file(qoe, tmp_path):
    path = tmp_path / "population.yaml"
    path.write_text(qoe(*SAMPLE, "--seed", "7").stdout)
    return path


def test_the_same_command_writes_the_same_bytes(qoe):
    first, second = qoe(*SAMPLE, "--seed", "7"), qoe(*SAMPLE, "--seed", "7")
    assert first.exit_code == ExitCode.DONE
    assert first.stdout_bytes == second.stdout_bytes
    assert first.stdout != qoe(*SAMPLE, "--seed", "8").stdout


def test_yaml_and_json_hold_the_same_people(qoe):
    as_yaml, as_json = qoe(*SAMPLE).stdout, qoe(*SAMPLE, "--json").stdout
    assert json.loads(as_json)["norm"] == "ipip-neo-120"
    first, second = (parse_population(text, source="stdout") for text in (as_yaml, as_json))
    assert first == second
    assert len(first.personas) == 30


def test_what_a_widened_population_is_worth_is_told(qoe):
    shown = qoe("personas", "sample", "--n", "1000", "--spread", "1.5")
    worth = parse_population(shown.stdout, source="stdout").effective_size
    assert f"worth {worth:.0f} people" in shown.stderr


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--n", "0"), "0 people; ask for 1"),
        (("--norm", "mars"), "no norm 'mars'"),
        (("--age", "5-30"), "covers 10 to 110"),
        (("--age", "young"), "--age is 'young'; say the first and the last year"),
        (("--norm", "sapa-bfi25-adults"), "no figures by age"),
        (("--spread", "0.5"), "the spread is 0.5"),
        (("--seed", "-1"), "must not be negative"),
    ],
)
def test_a_wrong_call_is_one_line_and_writes_nothing(qoe, wrong, told):
    shown = qoe(*SAMPLE, *wrong)
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert shown.stdout == ""
    assert told in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_a_panel_of_a_file_looks_here_and_at_a_service_that_lacks_it(
    qoe, file, picture, service_url
):
    asked = ("score", picture, "--prompt", "x", "--population", str(file), "--panel", "12")
    here, there = qoe(*asked, "--json"), qoe(*asked, "--json", "--server", service_url)
    assert here.stdout == there.stdout
    judgments = ScoreReply.model_validate_json(here.stdout).results[0].judgments
    panel = read_population(file).panel(12)
    assert [judgment.persona for judgment in judgments] == [persona.id for persona in panel]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--panel", "31"), ExitCode.WRONG_CALL, "gives 30 at most"),
        (("--personas", "bo"), ExitCode.WRONG_CALL, "not both"),
        (("--population", "nowhere.yaml"), ExitCode.NEGATIVE, "nowhere.yaml:1:1: unreadable"),
        (("--population", "adults"), ExitCode.WRONG_CALL, "no population 'adults'"),
    ],
)
def test_a_wrong_population_is_told(qoe, file, picture, arguments, code, told):
    shown = qoe("score", picture, "--prompt", "x", "--population", str(file), *arguments)
    assert shown.exit_code == code
    assert told in shown.stderr
