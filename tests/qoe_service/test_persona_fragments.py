"""Fragments: what wins over what, and where each mistake is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qoe_service.errors import PersonaFileError
from qoe_service.persona_files import (
    check_fragment,
    load_persona,
    load_personas,
    parse_persona,
    read_persona,
)
from qoe_service.persona_fragments import MAX_INCLUDES
from qoe_service.personas import Persona, shipped_folder

ANA = """\
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


@pytest.fixture
def write(tmp_path: Path):
    """Write files below a folder of personas, and read `ana.yaml`."""

    def written(**texts: str) -> Persona:
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return load_persona(tmp_path / "ana.yaml")

    return written


@pytest.fixture
def told(write, tmp_path: Path):
    """The problems of `ana.yaml`, their paths within the folder."""

    def problems(**texts: str) -> list[str]:
        with pytest.raises(PersonaFileError) as caught:
            write(**texts)
        assert caught.value.files == {"ana"}
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return problems


def test_the_files_keys_win_and_nested_mappings_merge(write) -> None:
    ana = write(
        ana=ANA + "include: [f/one.yaml, f/two.yaml]\nviewing:\n  situation: in bed\n",
        f__one="patience_s: 3\nweight: 5\nviewing: {device: laptop, situation: x}\n",
        f__two="patience_s: 4\nabout: Nobody.\nexperience: {art: 0.9}\n",
    )
    assert (ana.viewing.device, ana.viewing.situation) == ("laptop", "in bed")
    assert (ana.patience_s, ana.weight, ana.experience.art) == (4, 5, 0.9)
    assert ana.about == "Reads on the tram."


def test_a_fragment_may_say_what_a_file_must(write) -> None:
    traits = ANA[ANA.index("norm") : ANA.index("about")]
    ana = write(
        ana="id: ana\nname: Ana\nabout: Reads.\ninclude: [f/t.yaml]\ntraits: {openness: -1}\n",
        f__t=traits,
    )
    assert ana.traits.vector() == (-1, 0, -0.5, 0.2, 0.1)


def test_fragments_include_fragments_relative_to_themselves(write) -> None:
    ana = write(
        ana=ANA + "include: [f/a.yaml]\n",
        f__a="include: [b.yaml, ../g/c.yaml]\npatience_s: 1\n",
        f__b="patience_s: 2\nweight: 2\nexperience: {art: 1}\n",
        g__c="weight: 3\n",
    )
    assert (ana.patience_s, ana.weight, ana.experience.art) == (1, 3, 1)


def test_the_hash_is_that_of_the_whole(write) -> None:
    alone = write(ana=ANA + "patience_s: 3\n")
    composed = write(ana=ANA + "include: [f/a.yaml]\n", f__a="patience_s: 3\n")
    assert composed.content_hash == alone.content_hash
    assert write(f__a="patience_s: 4\n").content_hash != alone.content_hash


def test_one_fragment_may_be_reached_twice(write) -> None:
    ana = write(
        ana=ANA + "include: [f/a.yaml, f/b.yaml]\n",
        f__a="include: [c.yaml]\n",
        f__b="include: [c.yaml]\n",
        f__c="patience_s: 7\n",
    )
    assert ana.patience_s == 7


def test_a_missing_fragment_is_told_where_it_is_asked_for(told) -> None:
    assert told(ana=ANA + "include: [f/a.yaml, f/b.yaml]\n", f__a="weight: 1\n") == [
        "ana.yaml:11:21: include: 'f/b.yaml' cannot be read: No such file or directory"
    ]


def test_an_unknown_key_is_told_with_the_chain_of_includes(told) -> None:
    found = told(
        ana=ANA + "include:\n  - f/a.yaml\n",
        f__a="patience_s: 3\ninclude: [b.yaml]\n",
        f__b="# why\nviewing:\n  devise: phone\n",
    )
    assert found == [
        "f/b.yaml:3:3: viewing.devise: unknown key; did you mean 'device'?, "
        "included by f/a.yaml:2:11, included by ana.yaml:12:5"
    ]


def test_a_wrong_value_is_told_even_where_another_wins(told) -> None:
    found = told(ana=ANA + "include: [f/a.yaml]\npatience_s: 3\n", f__a="patience_s: long\n")
    assert found == [
        "f/a.yaml:1:1: patience_s: Input should be a valid number, got 'long', "
        "included by ana.yaml:11:11"
    ]


def test_a_fragment_without_all_traits_leaves_the_file_incomplete(told) -> None:
    found = told(
        ana="id: ana\nname: Ana\ninclude: [f/a.yaml]\n",
        f__a=ANA[ANA.index("norm") :].replace("  openness: 1.0\n", ""),
    )
    assert found == ["ana.yaml:1:1: traits.openness: is required but not given"]


@pytest.mark.parametrize(
    ("texts", "place"),
    [
        ({"ana": ANA + "include: [ana.yaml]\n"}, "ana.yaml:11:11"),
        (
            {
                "ana": ANA + "include: [f/a.yaml]\n",
                "f__a": "include: [b.yaml]\n",
                "f__b": "weight: 1\ninclude: [./a.yaml]\n",
            },
            "f/b.yaml:2:11",
        ),
        ({"ana": ANA + "include: [f/a.yaml]\n", "f__a": "include: [../ana.yaml]\n"}, "f/a.yaml:1:"),
    ],
)
def test_a_cycle_is_told_where_it_closes(told, texts: dict[str, str], place: str) -> None:
    (found,) = told(**texts)
    assert found.startswith(place)
    assert "includes itself in the end; break the cycle" in found


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/passwd", "f/../../x.yaml", "link.yaml"])
def test_no_include_leads_out_of_the_folder(write, told, tmp_path: Path, name: str) -> None:
    (tmp_path.parent / "x.yaml").write_text("weight: 3\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path.parent / "x.yaml")
    (found,) = told(ana=ANA + f"include: [{name}]\n")
    assert found.startswith(f"ana.yaml:11:11: include: '{name}' leads out of the personas' folder:")
    assert "no server must be made to read other files; copy" in found


@pytest.mark.parametrize("key", ["id", "name"])
def test_a_fragment_is_nobody(told, key: str) -> None:
    found = told(ana=ANA + "include: [f/a.yaml]\n", f__a=f"{key}: ana\n")
    assert found == [
        f"f/a.yaml:1:1: {key}: belongs to a person, not to a fragment; remove it, "
        "included by ana.yaml:11:11"
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("f/a.yaml", "ana.yaml:11:1: include: must be a list, such as"),
        ("[3]", "ana.yaml:11:11: include: must be the name of a file, got 3"),
        ('[""]', "ana.yaml:11:11: include: must be the name of a file, got ''"),
        ('["\\0"]', "ana.yaml:11:11: include: must be the name of a file, got"),
        ('["\\ud800"]', "ana.yaml:11:11: include: '\\ud800' cannot be read"),
        ("[round.yaml]", "ana.yaml:11:11: include: 'round.yaml' "),
        ("[f]", "ana.yaml:11:11: include: 'f' cannot be read: not a file"),
        ("[f/broken.yaml]", "f/broken.yaml:1:6: not valid YAML"),
        ("[f/list.yaml]", "f/list.yaml:1:1: must be a mapping"),
    ],
)
def test_what_cannot_be_included_is_told(told, tmp_path: Path, value: str, expected: str) -> None:
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    found = told(ana=ANA + f"include: {value}\n", f__broken="a: [1", f__list="- 1\n")
    assert any(problem.startswith(expected) for problem in found), found


def test_fragments_cannot_multiply_without_end(told) -> None:
    levels = {f"f__l{n}": f"include: [l{n + 1}.yaml, l{n + 1}.yaml]\n" for n in range(20)}
    found = told(ana=ANA + "include: [f/l0.yaml]\n", f__l20="weight: 1\n", **levels)
    assert any(f"may include {MAX_INCLUDES} fragments" in problem for problem in found)
    assert len(found) < 2 * MAX_INCLUDES


def test_a_folder_reached_by_a_link_is_the_folder(write, tmp_path: Path) -> None:
    write(ana=ANA + "include: [f/a.yaml]\n", f__a="patience_s: 3\n")
    elsewhere = tmp_path.parent / f"{tmp_path.name}-link"
    elsewhere.symlink_to(tmp_path)
    assert load_persona(elsewhere / "ana.yaml").patience_s == 3


def test_a_text_alone_can_include_nothing_but_a_placed_one_can(write, tmp_path: Path) -> None:
    text = ANA + "include: [f/a.yaml]\n"
    write(ana=ANA, f__a="patience_s: 3\n")
    with pytest.raises(PersonaFileError, match="only a file in a folder of personas can include"):
        parse_persona(text, source="body")
    assert parse_persona(text, source="body", folder=tmp_path).patience_s == 3


def test_a_fragment_is_checked_by_itself(write, tmp_path: Path) -> None:
    write(ana=ANA, f__a="include: [b.yaml]\npatience_s: -1\n", f__b="colour: red\n")
    with pytest.raises(PersonaFileError) as caught:
        check_fragment(tmp_path / "f" / "a.yaml")
    told = [str(problem).replace(f"{tmp_path}/f/", "") for problem in caught.value.problems]
    assert [problem.split(" Input")[0] for problem in told[:1]] == ["a.yaml:2:1: patience_s:"]
    assert any(problem.startswith("b.yaml:1:1: colour: unknown key") for problem in told)
    assert len(told) == 2


def test_the_shipped_fragments_are_right_and_nobody() -> None:
    fragments = sorted((shipped_folder() / "fragments").glob("*.yaml"))
    assert len(fragments) >= 3
    for fragment in fragments:
        check_fragment(fragment)
    assert not {p.id for p in load_personas(shipped_folder())} & {f.stem for f in fragments}


def test_a_reading_names_the_fragments_that_are_not_there_yet(write, tmp_path: Path) -> None:
    write(ana=ANA)
    (tmp_path / "ana.yaml").write_text(ANA + "include: [f/none.yaml]\n")
    assert read_persona(tmp_path / "ana.yaml").fragments == (tmp_path / "f" / "none.yaml",)


def test_a_pipe_is_not_waited_for(told, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (found,) = told(ana=ANA + "include: [pipe.yaml]\n")
    assert "not a file" in found
