"""A manifest tells what is needed to run again, and nothing of whose machine it was."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allocator.experiments.manifest import checkout, command, commits_of, cpu_model, surroundings


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A file in a checkout of its own."""
    file = tmp_path / "code.py"
    file.write_text("one\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return file


def test_a_clean_checkout_is_told_from_a_changed_one(code: Path) -> None:
    commit = git(code.parent, "rev-parse", "HEAD")
    assert checkout(code) == {"commit": commit, "uncommitted_changes": False}
    code.write_text("two\n")
    assert checkout(code) == {"commit": commit, "uncommitted_changes": True}


def test_code_beside_a_checkout_has_no_commit(code: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages" / "package.py"
    installed.parent.mkdir()
    installed.write_text("three\n")
    assert checkout(installed) == {"commit": None, "uncommitted_changes": None}


def test_where_there_is_no_git_there_is_no_commit(code: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert checkout(code) == {"commit": None, "uncommitted_changes": None}


def test_commands_name_neither_folders_nor_hosts() -> None:
    told = command(
        ["compare", "ddpg:3", "--out", "/home/me/runs/a b", "--table=/data/t.npz", "--seeds", "3"]
    )
    assert told == "allocator compare ddpg:3 --out 'a b' --table=t.npz --seeds 3"
    assert (
        command(["compare", "--service", "http://my.host:1"]) == "allocator compare --service URL"
    )
    assert command(["demo", "--out", "runs/demo"]) == "allocator demo --out runs/demo"


def test_surroundings_are_told_in_plain_json(monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/allocator", "demo"])
    told = json.loads(json.dumps(surroundings()))
    assert told["command"] == "allocator demo"
    assert datetime.fromisoformat(told["started_at"]).tzinfo == UTC
    assert told["versions"]["torch"]
    assert told["cores"] >= 1
    assert platform.node() not in json.dumps(told).split('"')


def test_a_commit_is_told_with_whether_it_is_the_code_that_ran() -> None:
    assert commits_of({"commit": "abc", "uncommitted_changes": False}) == ("abc",)
    assert commits_of({"commit": "abc", "uncommitted_changes": True}) == (
        "abc with uncommitted changes",
    )
    assert commits_of({"commit": None, "uncommitted_changes": None}) == ()


def test_the_processor_has_a_name_where_the_system_tells_it() -> None:
    told = Path("/proc/cpuinfo")
    if "model name" in (told.read_text() if told.is_file() else ""):
        assert cpu_model() in told.read_text()
    else:
        assert cpu_model() == (platform.processor() or None)
