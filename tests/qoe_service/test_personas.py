"""Persona files: what is shipped, what is refused and where, and what a running server notices."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from qoe_service.errors import PersonaFileError
from qoe_service.persona_files import load_persona, load_personas, parse_persona
from qoe_service.persona_schema import schemas
from qoe_service.personas import SCHEMA_FILE, Registry, shipped_folder
from qoe_service.schemas import TRAITS

GOOD = """\
id: ana
name: Ana
norm: sapa-bfi25-adults
traits:
  openness: 1.0
  conscientiousness: 0
  extraversion: -0.5
  agreeableness: 0.2
  neuroticism: 0.1
about: Reads on the tram.
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(PersonaFileError) as caught:
        parse_persona(text, source="ana.yaml", expected_id="ana")
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_panel_has_both_poles_of_every_trait() -> None:
    panel = load_personas(shipped_folder())
    traits = np.array([persona.traits.vector() for persona in panel])
    assert len(panel) >= 12
    for column, trait in enumerate(TRAITS):
        assert traits[:, column].max() >= 1, trait
        assert traits[:, column].min() <= -1, trait


def test_every_shipped_persona_is_its_own_person() -> None:
    panel = load_personas(shipped_folder())
    assert len({persona.name for persona in panel}) == len(panel)
    assert len({persona.content_hash for persona in panel}) == len(panel)
    assert all(len(persona.about) > 60 for persona in panel)


def test_the_schemas_for_editors_are_those_of_the_model() -> None:
    for name, schema in schemas().items():
        written = json.loads((shipped_folder() / name).read_text(encoding="utf-8"))
        assert written == schema, "run: python -m qoe_service.persona_schema"
    assert SCHEMA_FILE in schemas()


def test_a_minimal_file_is_read() -> None:
    persona = parse_persona(GOOD, source="ana.yaml", expected_id="ana")
    assert persona.traits.vector() == (1.0, 0, -0.5, 0.2, 0.1)
    assert persona.viewing.device == "phone"


def test_a_misspelt_key_is_found_with_its_line_and_the_right_name() -> None:
    assert problems_of(GOOD.replace("openness", "opennes")) == [
        "ana.yaml:4:1: traits.openness: is required but not given",
        "ana.yaml:5:3: traits.opennes: unknown key; did you mean 'openness'?",
    ]


def test_an_unheard_of_key_lists_the_known_ones() -> None:
    (problem,) = problems_of(GOOD + "zzz: 1\n")
    assert problem.startswith("ana.yaml:11:1: zzz: unknown key; known are id, name, traits")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "openness: 1.0",
            "openness: 7",
            "ana.yaml:5:3: traits.openness: Input should be less than",
        ),
        (
            "openness: 1.0",
            "openness: high",
            "ana.yaml:5:3: traits.openness: Input should be a valid",
        ),
        ("openness: 1.0", "openness: .nan", "ana.yaml:5:3: traits.openness: "),
        (
            "norm: sapa-bfi25-adults",
            "norm: mars",
            "ana.yaml:3:1: norm: unknown 'mars'; known are sapa-bfi25-adults",
        ),
        ("name: Ana", "", "ana.yaml:1:1: name: is required but not given"),
        ("id: ana", "id: bea", "ana.yaml:1:1: id 'bea' must be the file's name 'ana'"),
        ("id: ana", "id: Ana!", "ana.yaml:1:1: id: String should match pattern"),
        ("name: Ana", "name: Ana\nname: Bea", "ana.yaml:3:1: key 'name' is given twice"),
        ("name: Ana", "name: [Ana", "not valid YAML"),
        ("name: Ana", "name: !!python/object:os.system Ana", "not valid YAML"),
    ],
)
def test_each_mistake_is_told_where_it_is(old: str, new: str, expected: str) -> None:
    assert any(expected in problem for problem in problems_of(GOOD.replace(old, new)))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "&a [*a]"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert problems_of(text)


def test_an_unreadable_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "ana.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PersonaFileError, match="unreadable"):
        load_persona(path)


def test_all_files_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ana.yaml").write_text(GOOD)
    for name in ("bea", "cid"):
        (tmp_path / f"{name}.yaml").write_text("id: 3\n")
    with pytest.raises(PersonaFileError) as caught:
        load_personas(tmp_path)
    assert caught.value.files == {"bea", "cid"}
    assert [persona.id for persona in caught.value.valid] == ["ana"]


def test_an_empty_or_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PersonaFileError, match="holds no persona"):
        Registry(tmp_path)
    with pytest.raises(PersonaFileError, match="no such folder"):
        Registry(tmp_path / "nowhere")


def test_the_content_hash_changes_with_the_content() -> None:
    first = parse_persona(GOOD, source="a")
    same = parse_persona("# a comment\n" + GOOD, source="b")
    other = parse_persona(GOOD.replace("tram", "bus"), source="c")
    assert first.content_hash == same.content_hash != other.content_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ana.yaml").write_text(GOOD)
    (tmp_path / "bea.yaml").write_text(GOOD.replace("ana", "bea"))
    return tmp_path


def rewrite(path: Path, text: str) -> None:
    """Write so that the change is seen even within the file system's clock tick."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_a_running_registry_notices_new_changed_and_removed_files(folder: Path) -> None:
    registry = Registry(folder, interval_s=0)
    rewrite(folder / "cid.yaml", GOOD.replace("ana", "cid"))
    assert [persona.id for persona in registry.all()] == ["ana", "bea", "cid"]
    rewrite(folder / "ana.yaml", GOOD.replace("tram", "bus"))
    assert registry.by_id()["ana"].about == "Reads on the bus."
    (folder / "bea.yaml").unlink()
    assert list(registry.by_id()) == ["ana", "cid"]


def test_a_file_that_breaks_keeps_its_last_good_version(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry(folder, interval_s=0)
    rewrite(folder / "ana.yaml", GOOD.replace("openness", "opennes"))
    rewrite(folder / "bea.yaml", GOOD.replace("ana", "bea").replace("tram", "bus"))
    with caplog.at_level(logging.WARNING):
        now = registry.by_id()
    assert now["ana"].about == "Reads on the tram."
    assert now["bea"].about == "Reads on the bus."
    assert "did you mean 'openness'" in caplog.text
    assert any(problem.line == 5 for problem in registry.problems)
    rewrite(folder / "ana.yaml", GOOD)
    assert registry.problems == ()


def test_a_snapshot_outlives_a_change(folder: Path) -> None:
    registry = Registry(folder, interval_s=0)
    snapshot = registry.by_id()
    shutil.rmtree(folder)
    assert registry.by_id().keys() == {"ana", "bea"} == snapshot.keys()


def test_a_drawn_panel_is_stable_nested_and_follows_weights(tmp_path: Path) -> None:
    names = [f"p{number:03d}" for number in range(60)]
    for name in names:
        weight = 50 if name < "p020" else 1
        text = GOOD.replace("ana", name) + f"weight: {weight}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    registry = Registry(tmp_path)
    small, large = registry.panel(10), registry.panel(20)
    assert small == registry.panel(10)
    assert set(small) < set(large)
    assert sum(persona.id < "p020" for persona in large) >= 17
