"""`qoe personas interview`: a table, a verdict, an exit code, and a file that the service reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.interview.stored import read_interviews
from qoe_service.population import Population
from qoe_service.population_files import population_yaml
from tests.fake_provider import FakeProvider, Mood
from tests.qoe_service.interview.interviewees import drawn_people

Qoe = Callable[..., Result]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def qoe(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Qoe:
    """Run `qoe ARGUMENTS` with the fake VLM."""
    told = {
        "QOE_VLM_MODEL": "fake-vlm",
        "QOE_VLM_BASE_URL": provider.url,
        "OPENAI_API_KEY": "any",
        "QOE_CACHE": "",
        "QOE_INTERVIEWS": str(tmp_path / "interviews.json"),
        "QOE_TIERS": "vlm",
        "COLUMNS": "160",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    provider.behave(mood=Mood.HONEST)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def population(tmp_path: Path) -> Path:
    file = tmp_path / "eight.yaml"
    people = Population(norm="sapa-bfi25-adults", method="by hand", personas=drawn_people(8, 11))
    file.write_text(population_yaml(people), encoding="utf-8")
    return file


def test_a_failed_interview_is_told_stored_and_seen(
    qoe: Qoe, provider: FakeProvider, population: Path, tmp_path: Path
) -> None:
    provider.behave(mood=Mood.IGNORES_PERSONA)
    shown = qoe("personas", "interview", "--judge", "vlm", "--population", str(population))
    assert shown.exit_code == ExitCode.NEGATIVE, shown.output
    for words in ("8 personas, 320 questions", "vlm (fake-vlm) does not play its personas: fails"):
        assert words in shown.stdout
    assert "interviewing fake-vlm as 8 personas" in shown.stderr
    (stored,) = read_interviews(tmp_path / "interviews.json").interviews
    assert (stored.verdict, stored.personas) == ("fails", 8)
    provider.behave(mood=Mood.HONEST)
    (judge,) = map(json.loads, qoe("judges", "--json").stdout.splitlines())
    assert judge["interview"] == "fails"
    assert "fails" in qoe("judges").stdout


def test_one_persona_alone_has_scores_and_no_verdict(qoe: Qoe, tmp_path: Path) -> None:
    shown = qoe("personas", "interview", "--judge", "vlm", "--personas", "bo", "--json")
    assert shown.exit_code == ExitCode.NEGATIVE
    found = json.loads(shown.stdout)
    assert found["verdict"] == "too few to say"
    assert found["left_out"] == {"bo": ["Like order."]}
    (profile,) = found["profiles"]
    openness, conscientiousness, *_ = profile["scores"]
    assert openness < 3 < conscientiousness
    assert profile["t_scores"] == [None] * 5
    assert not (tmp_path / "interviews.json").exists()
    assert "not interviewed" in qoe("judges").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--judge", "clip"], ExitCode.WRONG_CALL, "clip cannot be interviewed"),
        (["--judge", "llm"], ExitCode.WRONG_CALL, "set QOE_LLM_MODEL"),
        (["--judge", "vlm", "--instrument", "bfi"], ExitCode.WRONG_CALL, "no instrument 'bfi'"),
        (["--judge", "vlm", "--personas", "boo"], ExitCode.WRONG_CALL, "did you mean 'bo'"),
        (
            ["--judge", "vlm", "--personas", "bo", "--population", "x.yaml"],
            ExitCode.WRONG_CALL,
            "either --personas or --population",
        ),
        (["--judge", "vlm", "--seconds", "inf"], ExitCode.WRONG_CALL, "or equal to 604800"),
        (["--judge", "vlm", "--population", "no.yaml"], ExitCode.NEGATIVE, "no.yaml"),
    ],
)
def test_a_wrong_call_is_told(qoe: Qoe, arguments: list[str], code: ExitCode, told: str) -> None:
    shown = qoe("personas", "interview", *arguments)
    assert (shown.exit_code, told in shown.stderr) == (code, True), shown.output


def test_a_model_that_is_away_is_told(qoe: Qoe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QOE_VLM_BASE_URL", "http://127.0.0.1:9/v1")
    shown = qoe("personas", "interview", "--judge", "vlm", "--personas", "bo")
    assert shown.exit_code == ExitCode.UNREACHABLE
    assert "fake-vlm at http://127.0.0.1:9/v1: it is not known how" in shown.stderr


def test_a_damaged_file_is_told_before_anybody_is_asked(
    qoe: Qoe, provider: FakeProvider, tmp_path: Path
) -> None:
    (tmp_path / "interviews.json").write_text("{}}")
    provider.forget_traffic()
    shown = qoe("personas", "interview", "--judge", "vlm")
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "interviews.json is damaged" in shown.stderr
    assert provider.traffic.requests == 0
