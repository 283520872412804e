"""Nobody is told the words by which they are tested, and who is, is not asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.interview.instruments import InstrumentError, load_instrument
from qoe_service.interview.wording import (
    alike,
    check_adjectives,
    given_away,
    not_to_be_asked,
    stems,
)
from qoe_service.judges.persona_text import trait_adjectives
from qoe_service.personas import Registry
from tests.qoe_service.interview.interviewees import made_person

MINI, FIFTY = load_instrument("mini-ipip"), load_instrument("ipip-50")
AVERAGE = [0.0] * 5


def texts(places, instrument=FIFTY) -> list[str]:
    return [instrument.statements[place].text for place in places]


@pytest.mark.parametrize("instrument", [MINI, FIFTY], ids=lambda one: one.id)
def test_no_adjective_that_describes_personas_is_a_word_of_an_instrument(instrument) -> None:
    check_adjectives(instrument)


@pytest.mark.parametrize(
    ("word", "statement"),
    [
        ("relaxed", "Am relaxed most of the time."),
        ("unimaginative", "Have a vivid imagination."),
        ("sympathetic", "Sympathize with others' feelings."),
        ("irritable", "Get irritated easily."),
        ("moody", "Have frequent mood swings."),
        ("emotional", "Feel others' emotions."),
        ("talkative", "Don't talk a lot."),
        ("orderly", "Like order."),
        ("disorderly", "Like order."),
        ("messy", "Make a mess of things."),
        ("worried", "Worry about things."),
        ("unprepared", "Am always prepared."),
    ],
)
def test_a_word_of_a_statement_is_found_in_its_other_forms(word: str, statement: str) -> None:
    assert statement in texts(given_away(f"She is {word}.", FIFTY.statements))


@pytest.mark.parametrize("text", ["An interior designer.", "Sells spare parts.", "Likes people."])
def test_other_words_give_nothing_away(text: str) -> None:
    assert given_away(text, FIFTY.statements) == {}


def test_adjectives_of_the_test_are_an_error_that_names_them() -> None:
    taken = {**trait_adjectives(), "neuroticism": [("relaxed", "nervous")]}
    told = r"mini-ipip tests them by: relaxed \(Am relaxed most of the time\.\); take other"
    with pytest.raises(InstrumentError, match=told):
        check_adjectives(MINI, taken)


def test_a_personas_own_text_leaves_out_what_it_has_the_words_of() -> None:
    tidy = made_person("ana", AVERAGE, about="Keeps everything in order. Talks a lot.")
    assert texts(not_to_be_asked(tidy, FIFTY)) == ["Like order."]  # the portrait's one sentence
    assert not_to_be_asked(made_person("bea", AVERAGE), FIFTY) == {}


def test_the_shipped_personas_lose_few_statements_and_no_scale() -> None:
    lost = {one.id: texts(not_to_be_asked(one, MINI), MINI) for one in Registry().all()}
    assert {name: told for name, told in lost.items() if told} == {
        "bo": ["Like order."],
        "kalinda": ["Get upset easily."],
        "maja": ["Talk to a lot of different people at parties.", "Don't talk a lot."],
    }


@given(st.text(max_size=60))
def test_any_text_has_stems(text: str) -> None:
    assert all(len(stem) >= 3 for stem in stems(text))


@given(st.text("abcdein", min_size=1, max_size=9), st.text("abcdein", min_size=1, max_size=9))
def test_being_alike_is_mutual(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one)
