"""Whatever a text says, it is a mapping with places or a problem with a place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.errors import PersonaFileError, Place
from qoe_service.persona_documents import Document, read_json, read_yaml
from qoe_service.persona_files import parse_persona, parse_persona_json

CONTENT = {
    "id": "ana",
    "name": "Ana",
    "norm": "sapa-bfi25-adults",
    "traits": {
        "openness": 1.0,
        "conscientiousness": 0,
        "extraversion": -0.5,
        "agreeableness": 0.2,
        "neuroticism": 0.1,
    },
    "about": 'Reads on the tram \U0001f68a, "quietly".',
}
SCRAPS = st.sampled_from([
    "id: ana\n", "traits:\n", "  openness: 1\n", "- ", "[", "]", "{", "}", ": ", "? ", "&a ",
    "*a ", "<<: ", "!!int ", "!!bool x", "!!timestamp y", "'", '"', "\n", "\t", "# ", "--- ",
    "...", "~", "null", ".nan", "1e9", "include: [", "\0", "\ud800", "\u2028", "\x85", "%", "@",
])  # fmt: skip
KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
OBJECTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | KEYS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(SCRAPS, max_size=12).map("".join) | st.text(max_size=40))
def test_no_text_brings_the_reader_down(text: str) -> None:
    for parse in (parse_persona, parse_persona_json):
        with pytest.raises(PersonaFileError) as caught:
            parse(text, source="body")
        assert all(p.line >= 1 and p.column >= 1 and p.message for p in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {b: *a}\n",
        "a: &a {x: 1}\nb: {p: *a, q: *a}\n",
        "base: &base {openness: 1}\ntraits:\n  <<: *base\n",
    ],
)
def test_aliases_are_refused_where_they_stand(text: str) -> None:
    with pytest.raises(PersonaFileError, match="fragment") as caught:
        read_yaml(text, "x")
    (problem,) = caught.value.problems
    lines = text.splitlines()
    assert lines[problem.line - 1][problem.column - 1] == "*"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_without_end_is_a_problem(opening: str) -> None:
    with pytest.raises(PersonaFileError):
        read_yaml(opening * 20_000, "x")
    with pytest.raises(PersonaFileError):
        read_json('{"a":' * 10_000 + "1" + "}" * 10_000, "x")


def test_numbers_may_be_written_as_everywhere_else() -> None:
    assert read_yaml("a: 1e-06\nb: -2E3\nc: 1.5e+2\nd: 1e\n", "x").content == {
        "a": 1e-6, "b": -2000.0, "c": 150.0, "d": "1e",
    }  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_json_object_is_a_persona(indent: int | str | None) -> None:
    for ascii_only in (True, False):
        text = json.dumps(CONTENT, indent=indent, ensure_ascii=ascii_only)
        assert parse_persona_json(text, source="body").about == CONTENT["about"]


def test_a_mistake_in_json_has_its_place() -> None:
    text = json.dumps(CONTENT, indent="\t").replace("extraversion", "extroversion")
    line = next(n for n, s in enumerate(text.splitlines(), 1) if "extroversion" in s)
    with pytest.raises(PersonaFileError) as caught:
        parse_persona_json(text, source="body")
    expected = f"body:{line}:3: traits.extroversion: unknown key; did you mean 'extraversion'?"
    assert expected in map(str, caught.value.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "b": }', "x:2:7: not valid JSON"),
        ('{"a": 1, "a": 2}', "x:1:10: key 'a' is given twice"),
        ("[1]", "x:1:1: must be a mapping"),
        ('{"a": NaN}', "not valid JSON"),
        ("", "x:1:1: not valid JSON"),
    ],
)
def test_what_is_no_object_is_told(text: str, expected: str) -> None:
    with pytest.raises(PersonaFileError) as caught:
        read_json(text, "x")
    assert expected in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(OBJECTS)
def test_a_json_object_keeps_its_values(content: dict) -> None:
    assert read_json(json.dumps(content), "x").content == content


@given(OBJECTS, OBJECTS)
def test_laying_over_loses_no_key_and_the_upper_one_wins(over: dict, under: dict) -> None:
    merged = Document("a", over, {}).over(Document("b", under, {})).content
    assert merged.keys() == over.keys() | under.keys()
    for key, value in over.items():
        if not (isinstance(value, dict) and isinstance(under.get(key), dict)):
            assert merged[key] == value


def test_a_problem_stands_at_the_nearest_key_around_it() -> None:
    document = read_yaml("a:\n  b: [1, 2]\n", "x")
    assert document.spot(("a", "b", 1)) == (Place("x", 2, 10),)
    assert document.spot(("a", "nowhere", 3)) == (Place("x", 1, 1),)
    assert document.spot(("nowhere",)) == (Place("x", 1, 1),)
