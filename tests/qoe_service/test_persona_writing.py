"""What is written is what is read, comments and all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.persona_files import load_persona, parse_persona
from qoe_service.persona_writing import persona_text, write_persona
from qoe_service.personas import Experience, Persona, Viewing
from qoe_service.schemas import TRAITS, Traits

Z = st.floats(-4, 4)
UNIT = st.floats(0, 1)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)

PERSONAS = st.builds(
    Persona,
    id=st.sampled_from(["amelia", "on", "null", "yes", "a-1"]),
    name=TEXT,
    about=TEXT,
    norm=st.just("sapa-bfi25-adults"),
    traits=st.builds(Traits, **dict.fromkeys(TRAITS, Z)),
    experience=st.builds(Experience, art=UNIT, photography=UNIT),
    viewing=st.builds(Viewing, situation=TEXT),
    patience_s=st.floats(0.01, 600),
    weight=st.floats(1e-6, 1e6),
)


@settings(max_examples=25, deadline=None)
@given(PERSONAS)
def test_a_written_persona_reads_back_equal(persona):
    assert parse_persona(persona_text(persona), source="test") == persona


def test_the_file_has_comments_and_is_never_overwritten(tmp_path, persona_folder):
    persona = load_persona(persona_folder / "bo.yaml")
    path = write_persona(persona, tmp_path / "new" / "folder")
    assert load_persona(path) == persona
    assert "# Big-Five z-scores" in path.read_text()
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_persona(persona, path.parent)
    assert path.read_text() == "mine"
