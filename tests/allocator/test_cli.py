"""`allocator` from the shell: numbers for programs, and errors that say what to do."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from allocator.cli import app
from allocator.cli.terminal import Lines
from allocator.scenarios.synthetic import synthetic_experience

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


def test_what_cannot_be_compared_is_a_wrong_call(table: str, tmp_path: Path) -> None:
    for contenders, said in (
        (["ddpg", "ddgp:2"], "no learner is called 'ddgp'"),
        (["ddpg:many"], "'ddpg:many' is no contender"),
        (["ddpg", "td3", "ddpg:1"], "ddpg takes part twice"),
    ):
        done = run(app, ["compare", *contenders, "--table", table, "--out", str(tmp_path)])
        assert done.exit_code == 2, done.output
        assert said in " ".join(done.output.split())


def test_training_again_shows_what_is_there_and_refuses_what_differs(
    table: str, tmp_path: Path
) -> None:
    asked = ["train", "ddpg", "--table", table, "--out", str(tmp_path), "--steps"]
    first, again = run(app, [*asked, "32", "--json"]), run(app, [*asked, "32", "--json"])
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert "ddpg-1 is finished" in again.stderr
    other = run(app, [*asked, "48"])
    assert other.exit_code == 2
    assert "steps was 32 and is 48 now" in other.stderr


def test_ended_by_sigterm_it_tells_the_command_that_goes_on(table: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from allocator.cli import app; app()"]
    asked = ["train", "ddpg", "--steps", "1000000", "--table", table, "--out", str(tmp_path)]
    with subprocess.Popen(
        [*command, *asked], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert "begun" in process.stderr.readline()
        while not list(tmp_path.rglob("events.out.tfevents.*")):  # in the midst of training
            time.sleep(0.05)
        process.terminate()
        told = process.stderr.read()
    assert process.returncode == 130
    assert f"goes on from there:\n  allocator {shlex.join(asked)}" in told
    assert (tmp_path / "checkpoints" / "ddpg-1.unfinished").is_file()


def test_training_under_a_budget_tells_what_became_of_it(tmp_path: Path) -> None:
    arguments = ["train", "ddpg", "--steps", "32", "--scenario", "easy", "--judge-calls", "40"]
    done = run(app, [*arguments, "--out", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["judge_calls"]
    assert (told["limit"], told["shown"]) == (40, 32 * 9)
    assert told["calls"] <= 40
    assert told["alarm"] is False
    again = run(app, [*arguments, "--out", str(tmp_path)])
    assert f"{told['calls']} of 40 judge calls" in again.output
