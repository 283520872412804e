"""Every command and every program of the README and the how-tos is run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qoe_service import Settings

ROOT = Path(__file__).parent.parent
LONGEST_S = 120
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


ELSEWHERE = {"reports.md"}
"""Pages that need files and a service: tests/qoe_service/reports/test_reports_page.py runs them."""


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block in this language that is run here."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    pages = [page for page in PAGES if page.name not in ELSEWHERE]
    return [(page.name, text) for page in pages for text in pattern.findall(page.read_text())]


def commands() -> list[tuple[str, str]]:
    """(page, command) of every command, once however many pages show it."""
    page_of: dict[str, str] = {}
    for page, text in blocks("sh"):
        for line in text.strip().splitlines():
            page_of.setdefault(line, page)
    return [(page, line) for line, page in page_of.items()]


def run(arguments: str, folder: Path) -> None:
    environment = os.environ | {
        "QOE_CACHE": str(folder / "cache"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        arguments,
        shell=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def shortened(command: str, folder: Path) -> str:
    """What is run in its place.

    A make target is only looked up: continuous integration runs `make test` and `make demo`. A
    comparison takes an hour: here its options are followed by others that make it small, in a
    folder that nobody has trained in.
    """
    if command.startswith("make "):
        return command.replace("make ", "make --dry-run ", 1)
    if command.startswith("allocator compare ") and "--out" in command:
        return f"{command} --seeds 1 --steps 64 --episodes 2 --processes 1 --out {folder / 'runs'}"
    return command


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_runs(page: str, command: str, tmp_path: Path) -> None:
    run(shortened(command, tmp_path), tmp_path)


@pytest.mark.parametrize(("page", "program"), blocks("python"))
def test_a_program_runs(page: str, program: str, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(program)
    run(f"{sys.executable} {file}", tmp_path)


def services() -> list[tuple[str, str]]:
    """(page, settings) of every `qoe serve` that is shown with a model which is not here."""
    pattern = re.compile(r"^\$ ((?:[A-Z_]+=\S+ )+)qoe serve\b", re.MULTILINE)
    return [(page, found) for page, text in blocks("console") for found in pattern.findall(text)]


@pytest.mark.parametrize(("page", "given"), services())
def test_settings_that_are_shown_name_a_judge(
    page: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (pair.split("=", 1) for pair in given.split()):
        monkeypatch.setenv(name, value)
    known = {*(f"QOE_{field}".upper() for field in Settings.model_fields), "OPENAI_API_KEY"}
    assert known >= {pair.split("=")[0] for pair in given.split()}
    assert Settings().tiers[0] == ("local_vlm" if "LOCAL_VLM" in given else "vlm")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []
