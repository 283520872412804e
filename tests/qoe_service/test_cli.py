"""`qoe` from the shell: tables for people, JSON for programs, exit codes that mean something."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict

import numpy as np
import pytest
from typer.testing import CliRunner

from qoe_service.cache import VectorCache
from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.judges.parts import LEDGER
from qoe_service.persona_files import load_persona
from qoe_service.provider.ledger import Ledger
from qoe_service.provider.spending import Spending
from qoe_service.schemas import ScoreReply

TRAIT_FLAGS = [
    "--openness=1.5", "--conscientiousness=-0.5", "--extraversion=0",
    "--agreeableness=0.25", "--neuroticism=-2",
]  # fmt: skip


@pytest.fixture
def qoe(monkeypatch, persona_folder):
    """Run `qoe ARGUMENTS` with the pixel judge and the test's personas."""
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    monkeypatch.setenv("QOE_PERSONAS", str(persona_folder))
    monkeypatch.setenv("COLUMNS", "100")
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)


@pytest.fixture
def picture(tmp_path, png_bytes):
    path = tmp_path / "slope.png"
    path.write_bytes(png_bytes)
    return str(path)


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("not a picture")
    return str(path)


def test_score_shows_every_persona_and_the_mos(qoe, picture):
    shown = qoe("score", picture, "--prompt", "a slope")
    assert shown.exit_code == ExitCode.DONE
    for word in ("amelia", "bo", "chidi", "pixel", "95 % interval", "n = 3"):
        assert word in shown.stdout


def test_score_as_json_is_the_reply_on_the_wire(qoe, picture, text_file):
    shown = qoe("score", picture, text_file, "--prompt", "x", "--personas", "bo, amelia", "--json")
    reply = ScoreReply.model_validate_json(shown.stdout)
    assert [result.status for result in reply.results] == ["ok", "bad_image"]
    assert [j.persona for j in reply.results[0].judgments] == ["bo", "amelia"]
    assert shown.exit_code == ExitCode.DONE


def test_score_through_a_server_says_the_same(qoe, picture, service_url):
    here = qoe("score", picture, "--prompt", "x", "--panel", "2", "--json")
    there = qoe(
        "score", picture, "--prompt", "x", "--panel", "2", "--json", "--server", service_url
    )
    assert here.stdout == there.stdout != ""


def test_nothing_judged_is_told_by_the_exit_code(qoe, text_file):
    shown = qoe("score", text_file, "--prompt", "x")
    assert shown.exit_code == ExitCode.NEGATIVE
    assert "bad_image" in shown.stdout
    assert "MOS: none" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--panel", "99"], ExitCode.WRONG_CALL, "99"),
        (["--panel", "1", "--personas", "bo"], ExitCode.WRONG_CALL, "not both"),
        (["--tier", "oracle"], ExitCode.WRONG_CALL, "oracle"),
        (["--server", "http://127.0.0.1:9"], ExitCode.UNREACHABLE, "qoe serve"),
    ],
)
def test_a_wrong_call_is_one_line_and_a_code(qoe, picture, arguments, code, told):
    shown = qoe("score", picture, "--prompt", "x", *arguments)
    assert shown.exit_code == code
    assert told in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_a_picture_that_is_not_there_is_a_wrong_call(qoe):
    assert qoe("score", "nowhere.png", "--prompt", "x").exit_code == ExitCode.WRONG_CALL


def test_wrong_settings_are_explained(qoe, picture, monkeypatch):
    monkeypatch.setenv("QOE_MAX_ITEMS", "many")
    shown = qoe("score", picture, "--prompt", "x")
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "max_items" in shown.stderr


def test_judges_are_listed(qoe, service_url):
    assert "pixel" in qoe("judges").stdout
    assert json.loads(qoe("judges", "--json", "--server", service_url).stdout)["tier"] == "pixel"


def test_personas_are_listed(qoe, service_url):
    assert "+1.5" in qoe("personas", "list").stdout
    listed = qoe("personas", "list", "--json").stdout
    assert listed == qoe("personas", "list", "--json", "--server", service_url).stdout
    assert [json.loads(line)["id"] for line in listed.splitlines()] == ["amelia", "bo", "chidi"]


def line_of(word, path):
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if word in line)


def test_check_tells_file_line_and_column(qoe, persona_folder, tmp_path):
    assert "3 persona files are right" in qoe("personas", "check").stdout
    wrong = tmp_path / "bo.yaml"
    wrong.write_text((persona_folder / "bo.yaml").read_text().replace("openness", "opennes"))
    shown = qoe("personas", "check", str(wrong), str(persona_folder / "amelia.yaml"))
    assert shown.exit_code == ExitCode.NEGATIVE
    place = f"{wrong}:{line_of('opennes:', wrong)}:3"
    assert f"{place}: traits.opennes: unknown key; did you mean 'openness'?" in shown.stderr


def test_check_as_json_has_every_problem_with_its_place(qoe, persona_folder, tmp_path):
    right = qoe("personas", "check", "--json")
    assert (json.loads(right.stdout), right.exit_code) == ({"ok": True, "problems": []}, 0)
    wrong = tmp_path / "bo.yaml"
    wrong.write_text((persona_folder / "bo.yaml").read_text().replace("openness", "opennes"))
    shown = qoe("personas", "check", str(wrong), "--json")
    found = json.loads(shown.stdout)
    assert shown.exit_code == ExitCode.NEGATIVE
    assert not found["ok"]
    assert {
        "source": str(wrong),
        "line": line_of("opennes:", wrong),
        "column": 3,
        "message": "traits.opennes: unknown key; did you mean 'openness'?",
        "included_by": [],
    } in found["problems"]


def test_a_wrong_persona_file_keeps_score_from_starting(qoe, picture, monkeypatch, tmp_path):
    (tmp_path / "eve.yaml").write_text("id: eve\n")
    monkeypatch.setenv("QOE_PERSONAS", str(tmp_path))
    shown = qoe("score", picture, "--prompt", "x")
    assert shown.exit_code == ExitCode.NEGATIVE
    assert "eve.yaml:1:1: traits: is required" in shown.stderr


def test_new_writes_a_file_that_check_accepts(qoe, tmp_path):
    arguments = [
        "personas",
        "new",
        "dora",
        "--name",
        "Dora",
        "--about",
        "Likes: maps.",
        *TRAIT_FLAGS,
    ]
    assert qoe(*arguments, "--folder", str(tmp_path)).exit_code == ExitCode.DONE
    persona = load_persona(tmp_path / "dora.yaml")
    assert persona.traits.vector() == (1.5, -0.5, 0, 0.25, -2)
    assert persona.about == "Likes: maps."
    again = qoe(*arguments, "--folder", str(tmp_path))
    assert again.exit_code == ExitCode.WRONG_CALL
    assert "exists" in again.stderr


def test_new_asks_for_what_no_option_says(qoe, tmp_path):
    answers = "Dora\nLikes maps.\n1\n0\n-1\n0\n0.5\n\n\n\n\n\ny\n"
    shown = qoe("personas", "new", "dora", "--folder", str(tmp_path), input=answers)
    assert shown.exit_code == ExitCode.DONE
    assert load_persona(tmp_path / "dora.yaml").traits.vector() == (1, 0, -1, 0, 0.5)


@pytest.mark.parametrize("name", ["Dora", "d ora", "../dora"])
def test_new_refuses_an_id_that_is_no_file_name(qoe, tmp_path, name):
    arguments = ["--name", "Dora", "--about", "x", *TRAIT_FLAGS, "--folder", str(tmp_path)]
    assert qoe("personas", "new", name, *arguments).exit_code == ExitCode.WRONG_CALL
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_counted_and_cleared(qoe, monkeypatch, tmp_path):
    monkeypatch.setenv("QOE_CACHE", str(tmp_path))
    with closing(VectorCache(tmp_path)) as cache:
        cache.put_many({"a": np.ones(4, np.float32), "b": np.zeros(4, np.float32)})
    assert json.loads(qoe("cache", "stats", "--json").stdout)["entries"] == 2
    assert qoe("cache", "clear", input="n\n").exit_code == ExitCode.NEGATIVE
    assert "2 entries" in qoe("cache", "stats").stdout
    assert qoe("cache", "clear", "--yes").exit_code == ExitCode.DONE
    assert json.loads(qoe("cache", "stats", "--json").stdout)["entries"] == 0


def test_there_is_no_cache_to_count_without_a_folder(qoe):
    shown = qoe("cache", "stats")
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "QOE_CACHE" in shown.stderr


def test_serve_says_when_the_port_is_taken(qoe):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shown = qoe("serve", "--port", str(taken.getsockname()[1]))
    assert shown.exit_code == ExitCode.WRONG_CALL
    assert "in use" in shown.stderr


def test_help_imports_nothing_heavy():
    program = "import sys, qoe_service.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    heavy = {"torch", "numpy", "PIL", "fastapi", "httpx", "uvicorn", "qoe_service.scoring"}
    assert not heavy & set(loaded.split())


def test_what_runs_have_spent_is_read_without_any_judge(qoe, tmp_path, monkeypatch):
    monkeypatch.setenv("QOE_CACHE", str(tmp_path))
    nothing = qoe("judges", "cost", "--json")
    assert (nothing.exit_code, nothing.stdout) == (ExitCode.DONE, "")
    ledger = Ledger(tmp_path / LEDGER)
    for run in ("first", "second", "first"):
        ledger.append(run, "a-model", Spending(1, 1_000, 3, 0.25))
    ledger.append("first", "a-model", Spending(refused=7))
    told = [json.loads(line) for line in qoe("judges", "cost", "--json").stdout.splitlines()]
    assert [line["run"] for line in told] == ["first", "second"]
    assert told[0] == {"run": "first", **asdict(Spending(2, 2_000, 6, 0.5, refused=7))}
    shown = qoe("judges", "cost", "--run", "first")
    assert shown.exit_code == ExitCode.DONE
    assert "second" not in shown.stdout
    for word in ("first", "2,000", "0.5000", "refused", " 7 "):
        assert word in shown.stdout
    assert qoe("judges", "cost", "--run", "third").exit_code == ExitCode.NEGATIVE


def test_a_cache_in_memory_has_no_ledger(qoe):
    told = qoe("judges", "cost")
    assert told.exit_code == ExitCode.WRONG_CALL
    assert "QOE_CACHE is empty" in told.stderr
