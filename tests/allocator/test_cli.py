"""`allocator` from the shell: numbers for programs, and errors that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from allocator.cli import app
from allocator.scenarios.synthetic import synthetic_experience
from allocator.terminal import Lines

run = CliRunner().invoke


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("table") / "table.npz"
    synthetic_experience(0).save(path)
    return str(path)


def test_help_needs_nothing_heavy() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from allocator.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'torch', 'matplotlib', 'stable_baselines3', 'gymnasium', 'scipy', 'numpy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_trains_and_evaluates(table: str, tmp_path: Path) -> None:
    trained = run(
        app,
        ["train", "ddpg", "--steps", "32", "--table", table, "--out", str(tmp_path), "--json"],
    )
    assert trained.exit_code == 0, trained.output
    checkpoint = json.loads(trained.stdout)["checkpoint"]
    arguments = ["evaluate", checkpoint, "--learner", "ddpg", "--episodes", "4"]
    evaluated = run(app, [*arguments, "--table", table, "--json"])
    assert evaluated.exit_code == 0, evaluated.output
    told = json.loads(evaluated.stdout)
    assert told["episodes"] == 4
    assert 0 <= told["qoe"] <= 1
    assert told["reward"] <= told["qoe"]


def test_progress_is_told_in_lines_where_there_is_no_terminal(capsys) -> None:
    stages = Lines()
    stages.begin("training", 40)
    for _ in range(20):
        stages.advance(2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "training: begun"
    assert [line.split(",")[0] for line in lines[1:]] == [
        f"training: {done} of 40" for done in range(4, 41, 4)
    ]


def test_unknown_learner_is_a_wrong_call(table: str) -> None:
    done = run(app, ["train", "ddgp", "--table", table])
    assert done.exit_code == 2
    assert "ddgp" in done.output


def test_service_and_table_exclude_each_other(table: str) -> None:
    done = run(app, ["train", "--table", table, "--service", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "not both" in done.output
