"""A card says what the file says, where it stands among people, and what judges are told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.persona_card import CELLS, TraitBar, percent
from qoe_service.cli.shell import ExitCode
from qoe_service.judges.persona_text import short_portrait, trait_level
from qoe_service.persona_card import percentile, score_at
from qoe_service.persona_files import load_persona
from qoe_service.schemas import TRAITS

Z = st.floats(-4, 4)


@pytest.fixture
def show(monkeypatch, persona_folder):
    monkeypatch.setenv("QOE_PERSONAS", str(persona_folder))
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *arguments: CliRunner().invoke(app, ["personas", "show", *arguments])


def drawn(z: float, encoding: str = "utf-8") -> str:
    console = Console(width=40)
    options = console.options.update(max_width=40)
    options.encoding = encoding
    return "".join(text.plain for text in TraitBar(z).__rich_console__(console, options))


@pytest.mark.parametrize(
    ("z", "expected"), [(0, 50), (1, 84.134), (-1, 15.866), (1.959964, 97.5), (-2.326348, 1)]
)
def test_percentiles_are_those_of_the_normal_distribution(z, expected):
    assert percentile(z) == pytest.approx(expected, abs=1e-3)
    assert score_at(expected) == pytest.approx(z, abs=1e-4)


@given(Z)
def test_a_percentile_leads_back_to_its_score(z):
    assert score_at(percentile(z)) == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize("percentile", [0, 100, -3, 101, float("nan")])
def test_no_score_is_below_everybody_or_above(percentile):
    with pytest.raises(ValueError, match="between 0 % and 100 %"):
        score_at(percentile)


@pytest.mark.parametrize(
    ("value", "said"),
    [(50.4, "50 %"), (99.4, "99.4 %"), (0.62, "0.6 %"), (99.997, "> 99.9 %"), (0.003, "< 0.1 %")],
)
def test_a_percentile_is_never_said_to_be_0_or_100(value, said):
    assert percent(value) == said


@given(Z, Z)
def test_a_bar_grows_with_the_score_to_its_side(one, other):
    low, high = sorted((one, other), key=abs)
    assert drawn(low).count("━") <= drawn(high).count("━")
    for z in (low, high):
        blank, filled = drawn(z).split("|") if z > 0 else reversed(drawn(z).split("|"))
        assert len(blank) == len(filled) == CELLS
        assert set(blank) == {"·"}


def test_a_bar_can_be_drawn_in_ascii():
    assert drawn(1.5, "ascii") == "........|====...."


def test_a_card_shows_all_there_is(show, persona_folder):
    shown = show("chidi")
    persona = load_persona(persona_folder / "chidi.yaml")
    portrait = short_portrait(persona)
    assert shown.exit_code == ExitCode.DONE
    words = " ".join(shown.stdout.replace("│", " ").split())
    for told in (
        "Chidi (chidi)", "Someone.", "-1.40", "8 %", "+1.60", "95 %", portrait.traits, portrait.who,
        "art 0.2, photography 0.2", "phone, at home", "8 s begins", "sapa-bfi25-adults",
        persona.content_hash[:16],
    ):  # fmt: skip
        assert told in words, told
    assert "chidi.yaml" in shown.stdout


def test_a_card_for_programs(show, persona_folder):
    card = json.loads(show(str(persona_folder / "bo.yaml"), "--json").stdout)
    persona = load_persona(persona_folder / "bo.yaml")
    assert card["persona"] == persona.model_dump()
    assert card["content_hash"] == persona.content_hash
    assert card["portrait"] == vars(short_portrait(persona))
    assert [line["trait"] for line in card["traits"]] == list(TRAITS)
    assert [line["level"] for line in card["traits"]] == [
        trait_level(z) for z in persona.traits.vector()
    ]
    assert all(line["words"] in card["portrait"]["traits"] for line in card["traits"])


def test_a_card_names_the_fragments(show, persona_folder, tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "late.yaml").write_text("viewing: {situation: after midnight}\n")
    text = (persona_folder / "bo.yaml").read_text().replace('  situation: "at home"\n', "")
    (tmp_path / "bo.yaml").write_text(text + "include: [f/late.yaml]\n")
    card = json.loads(show(str(tmp_path / "bo.yaml"), "--json").stdout)
    assert card["fragments"] == [str(tmp_path / "f" / "late.yaml")]
    assert card["persona"]["viewing"]["situation"] == "after midnight"


@pytest.mark.parametrize(
    ("target", "code", "told"),
    [
        ("amelie", ExitCode.WRONG_CALL, "did you mean 'amelia'?"),
        ("zzzzz", ExitCode.WRONG_CALL, "`qoe personas list` lists them"),
        ("nowhere/bo.yaml", ExitCode.NEGATIVE, "nowhere/bo.yaml:1:1: unreadable"),
    ],
)
def test_who_cannot_be_shown_is_told_why(show, target, code, told):
    shown = show(target)
    assert shown.exit_code == code
    assert told in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
