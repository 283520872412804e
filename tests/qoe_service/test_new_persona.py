"""`qoe personas new`: what is asked, what is taken for an answer, and what is written."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.persona_questions import questions, score
from qoe_service.cli.shell import ExitCode
from qoe_service.persona import Experience, Persona, Traits, Viewing
from qoe_service.persona_files import load_persona
from qoe_service.persona_writing import TRAIT_MEANINGS
from qoe_service.personas import SCHEMA_FILE
from qoe_service.schemas import TRAITS

TRAIT_FLAGS = [f"--{trait}=0.5" for trait in TRAITS]
WHO = ["--name", "Dora", "--about", "Likes: maps."]


@pytest.fixture
def new(monkeypatch, tmp_path):
    monkeypatch.delenv("QOE_PERSONAS", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    folder = tmp_path / "people"

    def run(*arguments: str, **options):
        arguments = ["personas", "new", *arguments, "--folder", str(folder)]
        return CliRunner().invoke(app, arguments, **options)

    return run


@pytest.fixture
def dora(tmp_path):
    return lambda: load_persona(tmp_path / "people" / "dora.yaml")


def test_everything_of_a_persona_but_norm_and_weight_is_asked_for():
    fields = {
        *Persona.model_fields, *Traits.model_fields, *Experience.model_fields,
        *Viewing.model_fields,
    }  # fmt: skip
    asked = [question.key for question in questions()]
    assert len(set(asked)) == len(asked)
    assert fields - set(asked) == {"id", "norm", "weight", "traits", "experience", "viewing"}
    assert tuple(TRAIT_MEANINGS) == TRAITS


def test_a_conversation_from_an_idea_to_a_file(new, dora, tmp_path):
    answers = [
        "Dora", "Likes: maps.", "1.5", "70%", "", "-1", "2.5 %",
        "0.9", "", "laptop", "at her desk", "12", "y",
    ]  # fmt: skip
    shown = new("dora", input="\n".join(answers) + "\n")
    assert shown.exit_code == ExitCode.DONE
    persona = dora()
    assert persona.traits.vector() == (1.5, 0.52, 0, -1, -1.96)
    assert persona.experience == Experience(art=0.9)
    assert persona.viewing == Viewing(device="laptop", situation="at her desk")
    assert persona.patience_s == 12
    for told in (
        "high: curious, imaginative", "+0.52, 70 % of people are lower: a bit organized",
        "-1.96, 2 % of people are lower: extremely calm", "a judge that reads is told", "Write ",
        f"qoe personas show {tmp_path / 'people' / 'dora.yaml'}", "qoe score PICTURE",
    ):  # fmt: skip
        assert told in shown.stdout, told


def test_what_is_no_answer_is_asked_again(new, dora):
    answers = [
        "Dora", "Maps.", "high", "9", "100%", "nan", "1", "", "", "", "",
        "2", "0.5", "", "radio", "phone", "", "-1", "8", "y",
    ]  # fmt: skip
    shown = new("dora", input="\n".join(answers) + "\n")
    assert shown.exit_code == ExitCode.DONE, shown.output
    for told in (
        "not a number: 'high'", "less than or equal to 4, got '9'", "between 0 % and 100 %",
        "got 'nan'", "less than or equal to 1, got '2'", "got 'radio'", "greater than 0, got '-1'",
    ):  # fmt: skip
        assert told in shown.output, told
    assert dora().traits.openness == 1


def test_options_are_not_asked_for_again(new, dora):
    flags = ["--about", "Maps.", "--openness", "84%", "--device", "tablet", "--art", "0"]
    shown = new("dora", *flags, input="Dora\n" + "\n" * 4 + "\n" * 3 + "y\n")
    assert shown.exit_code == ExitCode.DONE, shown.output
    assert "Openness" not in shown.stdout
    assert (dora().traits.openness, dora().viewing.device, dora().experience.art) == (
        0.99, "tablet", 0,
    )  # fmt: skip


def test_with_all_that_is_needed_nothing_is_asked(new, dora):
    shown = new("dora", *WHO, *TRAIT_FLAGS, "--patience-s", "3", "--norm", "ipip-neo-120")
    assert shown.exit_code == ExitCode.DONE, shown.output
    assert (dora().patience_s, dora().norm, dora().viewing.device) == (3, "ipip-neo-120", "phone")
    assert "Write" not in shown.stdout


def test_whoever_says_no_has_no_file(new, tmp_path):
    shown = new("dora", *WHO, input="\n" * 10 + "n\n")
    assert shown.exit_code == ExitCode.NEGATIVE
    assert not (tmp_path / "people").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--openness", "7"], "--openness: Input should be less than or equal to 4, got '7'"),
        (["--openness", "0%"], "--openness: a percentile lies between"),
        (["--patience-s", "soon"], "--patience-s: not a number: 'soon'"),
        (["--device", "radio"], "--device: Input should be 'phone', 'tablet'"),
        (["--norm", "mars"], "--norm: Input should be 'sapa-bfi25-adults' or 'ipip-neo-120'"),
        (["--name", ""], "--name: String should have at least 1 character"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_asked(new, tmp_path, flags, told):
    shown = new("dora", *flags)
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert told in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert not (tmp_path / "people").exists()


def test_a_file_that_is_there_is_told_before_anything_is_asked(new, tmp_path):
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "dora.yaml").write_text("mine")
    shown = new("dora")
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "dora.yaml exists; edit it, or choose another id" in shown.stderr
    assert (tmp_path / "people" / "dora.yaml").read_text() == "mine"


@pytest.mark.parametrize("persona_id", ["Dora", "d ora", "../dora", "dora\n", "d" * 65, ""])
def test_an_id_that_is_none_is_told_before_anything_is_asked(new, persona_id):
    shown = new(persona_id)
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "lower-case letters" in shown.stderr


def test_editors_find_the_schema_where_there_is_one(new, tmp_path):
    (tmp_path / "people").mkdir()
    new("dora", *WHO, *TRAIT_FLAGS)
    (tmp_path / "people" / SCHEMA_FILE).write_text("{}")
    new("emil", *WHO, *TRAIT_FLAGS)
    first = [(tmp_path / "people" / f"{who}.yaml").read_text()[:28] for who in ("dora", "emil")]
    assert ["yaml-language-server" in line for line in first] == [False, True]


@pytest.mark.parametrize(
    ("text", "z"), [("1", 1), (" -0.5 ", -0.5), ("50%", 0), ("97.5 %", 1.96), ("1e-1", 0.1)]
)
def test_a_score_is_a_number_or_a_percentile(text, z):
    assert score(text) == pytest.approx(z)
