"""What docs/personas.md shows is what happens."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.persona_card import percentile
from qoe_service.persona_files import parse_persona
from qoe_service.personas import shipped_folder

PAGE = (Path(__file__).parents[2] / "docs" / "personas.md").read_text(encoding="utf-8")


def block(language: str, beginning: str) -> str:
    pattern = rf"^```{language}\n({re.escape(beginning)}.*?)^```"
    found = re.search(pattern, PAGE, re.DOTALL | re.MULTILINE)
    assert found, (language, beginning)
    return found.group(1)


def test_the_file_with_fragments_is_a_persona() -> None:
    text = block("yaml", "id: emil")
    emil = parse_persona(text, source="emil.yaml", expected_id="emil", folder=shipped_folder())
    assert (emil.viewing.device, emil.viewing.situation) == (
        "phone",
        "in the van, between two weddings",
    )
    assert emil.experience.photography == 1


def test_the_table_of_percentiles_is_right() -> None:
    (scores,) = re.findall(r"^\| z-score \|(.*)\|$", PAGE, re.MULTILINE)
    (lower,) = re.findall(r"^\| of 100 people, lower \|(.*)\|$", PAGE, re.MULTILINE)
    pairs = zip(scores.split("|"), lower.split("|"), strict=True)
    assert all(round(percentile(float(z))) == int(people) for z, people in pairs)


def new_dora(folder: Path) -> None:
    """Run the page's own command, in another folder."""
    (command,) = re.findall(r"^qoe (personas new dora .*)$", PAGE, re.MULTILINE)
    arguments = shlex.split(command.replace("runs/personas", str(folder)))
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_the_card_is_the_one_that_is_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    new_dora(tmp_path)
    shown = CliRunner().invoke(app, ["personas", "show", str(tmp_path / "dora.yaml")]).stdout
    lines = [line for line in block("text", "╭").splitlines() if line != "..."]
    assert len(lines) > 8
    assert set(lines) <= set(shown.splitlines())


def test_the_mistakes_are_told_as_shown(tmp_path, monkeypatch) -> None:
    new_dora(tmp_path)
    monkeypatch.chdir(tmp_path)
    file = Path("dora.yaml")
    text = file.read_text().replace("openness:", "opennes:").replace("phone  #", "fone  #")
    file.write_text(text)
    shown = CliRunner().invoke(app, ["personas", "check", "dora.yaml"]).stderr
    assert block("console", "$ qoe personas check dora").splitlines()[1:] == shown.splitlines()


def test_a_mistake_in_a_fragment_is_told_as_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QOE_PERSONAS", raising=False)
    shutil.copytree(shipped_folder() / "fragments", "fragments")
    Path("emil.yaml").write_text(block("yaml", "id: emil"))
    phone = Path("fragments", "viewing-phone.yaml")
    phone.write_text(phone.read_text().replace("device", "devise"))
    shown = CliRunner().invoke(app, ["personas", "check", "emil.yaml"]).stderr
    assert block("console", "$ qoe personas check emil").splitlines()[1:] == shown.splitlines()
