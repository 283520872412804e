"""Population files: written, read back, refused with the place, and noticed by a running server."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service import population_registry
from qoe_service.errors import PersonaFileError, UnknownPopulation
from qoe_service.population import Population, sample_population
from qoe_service.population_files import (
    FOLDER,
    parse_population,
    population_json,
    population_yaml,
    read_population,
)
from qoe_service.population_registry import Populations

IPIP, SAPA = "ipip-neo-120", "sapa-bfi25-adults"
POPULATION = sample_population(IPIP, 3, seed=7, age=(21, 40), spread=1.5)
TEXT = population_yaml(POPULATION)
INTERVAL_S = 0.5


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([None, (10, 20), (33, 77)]), st.integers(1, 40), st.floats(1, 3), st.booleans()
)
def test_what_is_written_is_read_back(age, count, spread, as_json) -> None:
    population = sample_population(IPIP, count, seed=1, age=age, spread=spread)
    text = population_json(population) if as_json else population_yaml(population)
    assert parse_population(text, source="text") == population
    again = sample_population(IPIP, count, seed=1, age=age, spread=spread)
    assert (population_json if as_json else population_yaml)(again) == text


def test_a_file_says_how_it_came_about_and_what_it_is_worth() -> None:
    many = sample_population(SAPA, 1000, seed=7, spread=1.5)
    first, *told = population_yaml(many).splitlines()[:6]
    assert first == (
        f"# 1000 people on the norm {SAPA}, spread 1.5: with their weights worth "
        f"{many.effective_size:.0f} people as they are"
    )
    assert told == [
        f"norm: {SAPA}",
        "seed: 7",
        "method: gaussian-copula-sobol",
        "spread: 1.5",
        "personas:",
    ]


def test_a_file_may_be_written_by_hand() -> None:
    text = """\
norm: sapa-bfi25-adults
method: asked in the canteen
personas:
- id: ana
  name: Ana
  traits: {openness: 1, conscientiousness: 0, extraversion: -0.5, agreeableness: 0, neuroticism: 0}
  about: Reads on the tram.
  experience: {art: 0.9}
"""
    population = parse_population(text, source="canteen.yaml")
    assert population.seed is None
    assert population.personas[0].experience.art == 0.9
    assert population.personas[0].norm == SAPA


def problems_of(text: str) -> list[str]:
    with pytest.raises(PersonaFileError) as caught:
        parse_population(text, source="f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("id: p0002", "id: p0001", "f.yaml:2:1: personas share an id: p0001; give each its own"),
        ("id: p0002", "id: P!", "f.yaml:13:3: personas.1.id: String should match pattern"),
        ("name: Robin", "nam: Robin", "f.yaml:14:3: personas.1.nam: unknown key; did you mean 'na"),
        ("name: Robin", "nam: Robin", "f.yaml:13:3: personas.1.name: is required but not given"),
        ("openness: ", "opennes: ", "f.yaml:10:12: personas.0.traits.opennes: unknown key; did yo"),
        ("seed: 7", "sed: 7", "f.yaml:3:1: sed: unknown key; did you mean 'seed'?"),
        ("seed: 7", "zzz: 7", "f.yaml:3:1: zzz: unknown key; known are norm, seed, method"),
        ("seed: 7", "seed: -7", "f.yaml:3:1: seed: Input should be greater than or equal to 0"),
        ("seed: 7", "seed: 7\nseed: 8", "f.yaml:4:1: key 'seed' is given twice"),
        ("id: p0002", "id: p0002\n  id: p2", "f.yaml:14:3: key 'id' is given twice"),
        ("norm: ipip", "norm: mars", "f.yaml:2:1: norm: Input should be 'sapa-bfi25-adults' or"),
        ("id: p0002", f"id: p0002\n  norm: {SAPA}", "p0002 is on the norm sapa-bfi25-adults, not"),
        ("spread: 1.5", "spread: 0.5", "f.yaml:6:1: spread: Input should be greater than or eq"),
        ("seed: 7", "seed: [7", "not valid YAML"),
        ("seed: 7", "seed: !!python/object:os.system x", "not valid YAML"),
        ("seed: 7", "seed: !!bool maybe", "not valid YAML"),
        ("seed: 7", "seed: !!int ''", "not valid YAML"),
        ("seed: 7", "seed: 9223372036854775808", "f.yaml:3:1: seed: Input should be less than or"),
        ("spread: 1.5", "spread: .inf", "f.yaml:6:1: spread: Input should be a finite number"),
        ("id: p0002", "id: p0002\n  patience_s: yes", "personas.1.patience_s: Input should be a v"),
        ("id: p0002", "id: p0002\n  patience_s: '3'", "personas.1.patience_s: Input should be a v"),
        ("seed: 7", "seed: &s 7\nmethod: *s", "f.yaml:3:7: an alias (*) stands for this; write it"),
    ],
)
def test_each_mistake_is_told_where_it_is(old: str, new: str, expected: str) -> None:
    found = problems_of(TEXT.replace(old, new, 1))
    assert any(expected in problem for problem in found), found


def test_numbers_are_read_as_in_persona_files() -> None:
    text = TEXT.replace("id: p0002", "id: p0002\n  patience_s: 1e-1", 1)
    assert parse_population(text, source="f.yaml").personas[1].patience_s == 0.1


def test_a_mistake_in_json_is_told_where_it_is_as_far_as_yaml_can_tell() -> None:
    text = population_json(POPULATION)
    place = text.index('"weight"') + 1
    twice = text.replace('"weight"', '"weight":1,"weight"', 1)
    assert problems_of(twice) == [f"f.yaml:1:{place + 11}: key 'weight' is given twice"]
    # An emoji as json.dumps writes it is none to YAML: then every problem is at the beginning.
    emoji = text.replace('"Somebody', r'"\ud83d\ude00', 1)
    assert parse_population(emoji, source="f.yaml").personas[0].about.startswith("\U0001f600")
    wrong = emoji.replace('"seed"', '"sed"')
    assert problems_of(wrong) == ["f.yaml:1:1: sed: unknown key; did you mean 'seed'?"]
    doubled = emoji.replace('"seed"', '"seed":1,"seed"')
    assert problems_of(doubled) == ["f.yaml:1:1: key 'seed' is given twice"]


def test_a_small_text_cannot_describe_an_endless_one() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    assert problems_of(bomb)[0] == "f.yaml:1:5: an alias (*) stands for this; write it out"
    assert problems_of("&a {personas: *a}")
    assert problems_of('{"personas": ' + "[" * 1010 + "]" * 1010 + "}")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "{", "[1, 2]", "personas: []"])
def test_what_is_no_population_is_refused(text: str) -> None:
    assert problems_of(text)


def test_what_is_wrong_with_everybody_is_not_told_of_everybody() -> None:
    text = population_yaml(sample_population(SAPA, 200, seed=0)).replace("name:", "nam:")
    assert len(problems_of(text)) == 20


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonaFileError, match=r"nobody.yaml:1:1: unreadable: No such file"):
        read_population(tmp_path / "nobody.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(PersonaFileError, match="unreadable"):
        read_population(tmp_path / "bytes.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "adults.yaml").write_text(TEXT)
    return tmp_path


class Watched:
    """Populations that are looked at whenever asked for, with both clocks in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.adults = folder / FOLDER / "adults.yaml"
        self.now_s, self.wall_ahead_s = 0.0, 0.0
        self.populations = Populations(
            folder, interval_s=INTERVAL_S, now_s=lambda: self.now_s, wall_s=self.wall_s
        )

    def wall_s(self) -> float:
        return time.time() + self.wall_ahead_s

    def look(self, name: str = "adults", *, after_s: float = 3600) -> Population:
        self.now_s += after_s
        self.wall_ahead_s += after_s
        return self.populations.get(name)


@pytest.fixture
def watched(folder: Path) -> Watched:
    return Watched(folder)


def test_a_population_is_called_by_its_files_name(folder: Path) -> None:
    assert Populations(folder).get("adults") == POPULATION


def test_an_unknown_population_is_told_with_the_nearest(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownPopulation, match="did you mean 'adults'"):
        Populations(folder).get("adult")
    with pytest.raises(UnknownPopulation, match="there are adults"):
        Populations(folder).get("../../etc/passwd")
    with pytest.raises(UnknownPopulation, match="there are none"):
        Populations(tmp_path / "elsewhere").get("adults")


def test_the_first_look_notices_new_changed_and_removed_files(watched: Watched) -> None:
    other, others = sample_population(SAPA, 2, seed=1), watched.adults.with_name("others.yaml")
    others.write_text(population_yaml(other))
    assert watched.look("others") == other
    others.write_text(TEXT)
    assert watched.look("others") == POPULATION
    others.unlink()
    with pytest.raises(UnknownPopulation):
        watched.look("others")


def test_a_file_that_is_being_written_is_left_alone(watched: Watched) -> None:
    whole = population_yaml(sample_population(SAPA, 9, seed=1))
    watched.wall_ahead_s = -3600  # the files' clock is ahead: only watching them can tell
    for people in range(1, 9):  # each beginning is a population, too
        watched.adults.write_text(whole[: whole.index(f"- id: p000{people + 1}")])
        assert watched.look(after_s=INTERVAL_S) == POPULATION
    watched.adults.write_text(whole)
    assert watched.look(after_s=INTERVAL_S) == POPULATION
    assert len(watched.look(after_s=INTERVAL_S).personas) == 9


def test_what_is_written_to_while_it_is_read_is_not_taken(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = population_yaml(sample_population(SAPA, 9, seed=1))
    watched.adults.write_text(whole[: whole.index("- id: p0005")])

    def read_while_it_is_written(path: Path) -> Population:
        found = read_population(path)
        path.write_text(whole)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(population_registry, "read_population", read_while_it_is_written)
        assert watched.look() == POPULATION
    assert len(watched.look().personas) == 9


def test_a_file_that_breaks_keeps_its_last_good_version(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.adults.write_text(TEXT.replace("seed", "sed"))
    with caplog.at_level(logging.WARNING):
        assert watched.look() == POPULATION
    assert "did you mean 'seed'" in caplog.text
    assert watched.populations.problems[0].line == 3
    watched.adults.write_text(TEXT)
    assert watched.look() == POPULATION
    assert watched.populations.problems == ()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("adults", "seed: 3", "is required"), ("My Adults", TEXT, "lower-case letters, digits")],
)
def test_a_file_that_is_wrong_at_the_start_is_an_error(tmp_path, name, text, told) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / f"{name}.yaml").write_text(text)
    with pytest.raises(PersonaFileError, match=told):
        Populations(tmp_path)
