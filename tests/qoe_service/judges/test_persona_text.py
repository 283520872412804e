"""A persona in words: grades follow the z-scores, adjectives are not the examination's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.judges.persona_text import (
    experience_in_words,
    graded,
    short_portrait,
    trait_adjectives,
    trait_level,
    trait_phrases,
)
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import TRAITS

Z = st.floats(min_value=-4, max_value=4)

# The content words of the public-domain IPIP items: the 50-item set of Big-Five factor markers and
# the 25 items of the SAPA project.
IPIP_WORDS = """
life party little concern others prepared stressed easily rich vocabulary talk lot interested people
leave belongings around relaxed most time difficulty understanding abstract ideas feel comfortable
insult attention details worry things vivid imagination background sympathize feelings mess seldom
blue start conversations problems chores done right away disturbed excellent soft heart forget put
back proper place upset good different parties really order change mood quick understand draw
attention myself shirk duties frequent mood swings difficult words mind center follow schedule
irritated spend reflecting quiet strangers make ease exacting work often full
indifferent inquire well-being comfort children continue until everything perfect according plan
half-way manner waste find approach captivate friends charge angry panic avoid reading material
carry conversation higher level probe deeply subject emotions
"""


def persona(**traits: float) -> Persona:
    z = dict.fromkeys(TRAITS, 0.0) | traits
    about = "Reads on the tram. Prefers maps to novels."
    return Persona.model_validate(
        {"id": "ana", "name": "Ana", "norm": "sapa-bfi25-adults", "traits": z, "about": about}
    )


@pytest.mark.parametrize(
    ("z", "level"),
    [
        (0, 5),
        (0.25, 5),
        (0.26, 6),
        (0.75, 6),
        (0.76, 7),
        (1.25, 7),
        (1.26, 8),
        (1.75, 8),
        (1.76, 9),
    ],
)
def test_the_cut_points(z: float, level: int) -> None:
    assert trait_level(z) == level
    assert trait_level(-z) == 10 - level


@given(Z, Z)
def test_a_higher_score_is_never_a_lower_level(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 1 <= trait_level(low) <= trait_level(high) <= 9


@given(Z)
def test_the_levels_are_symmetric(z: float) -> None:
    assert trait_level(-z) == 10 - trait_level(z)


def test_the_nine_grades() -> None:
    assert [graded(level, ("timid", "bold")) for level in range(1, 10)] == [
        "extremely timid",
        "very timid",
        "timid",
        "a bit timid",
        "neither timid nor bold",
        "a bit bold",
        "bold",
        "very bold",
        "extremely bold",
    ]


@pytest.mark.parametrize("trait", TRAITS)
def test_a_trait_is_said_by_its_own_adjectives(trait: str) -> None:
    index = TRAITS.index(trait)
    for z, pole in ((-2.0, 0), (2.0, 1)):
        phrase = trait_phrases(persona(**{trait: z}))[index]
        assert phrase in {f"extremely {poles[pole]}" for poles in trait_adjectives()[trait]}


def test_which_adjectives_depends_on_the_persona_and_nothing_else() -> None:
    panel = Registry().all()
    texts = [short_portrait(one).traits for one in panel]
    short_portrait.cache_clear()
    assert [short_portrait(one).traits for one in panel] == texts
    averages = {trait_phrases(persona().model_copy(update={"id": i})) for i in "abcdefghij"}
    assert len(averages) > 5


def test_every_trait_has_as_many_pairs_of_different_adjectives() -> None:
    table = trait_adjectives()
    assert tuple(table) == TRAITS
    assert {len(pairs) for pairs in table.values()} == {5}
    words = [word for pairs in table.values() for poles in pairs for word in poles]
    assert len(set(words)) == 50


def test_no_adjective_has_the_stem_of_a_word_of_the_questionnaires() -> None:
    for pairs in trait_adjectives().values():
        for word in (word for poles in pairs for word in poles):
            assert not questionnaire_words_like(word), word
            assert not questionnaire_words_like(re.sub("^(un|in|dis|im)", "", word)), word


def test_the_stem_test_would_find_words_of_the_questionnaires() -> None:
    for taken in ("relaxed", "imaginative", "sympathetic", "irritable", "moody", "emotional"):
        assert questionnaire_words_like(taken), taken


def questionnaire_words_like(word: str) -> list[str]:
    stem = word[:5]
    items = [item for item in IPIP_WORDS.split() if len(item) > 3]
    return [item for item in items if stem.startswith(item[:5]) or item.startswith(stem)]


def test_the_portrait_says_who_in_a_sentence_and_each_trait_once() -> None:
    portrait = short_portrait(persona())
    assert portrait.who == "Reads on the tram."
    assert portrait.traits.count("neither") == 5


@given(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1))
def test_more_experience_is_never_said_to_be_less(one: float, other: float) -> None:
    scale = ["none", "little", "some", "much", "professional"]
    low, high = sorted((one, other))
    assert scale.index(experience_in_words(low)) <= scale.index(experience_in_words(high))


@pytest.mark.parametrize(
    ("experience", "words"),
    [
        (0, "none"),
        (0.125, "none"),
        (0.25, "little"),
        (0.5, "some"),
        (0.75, "much"),
        (1, "professional"),
    ],
)
def test_experience_in_words(experience: float, words: str) -> None:
    assert experience_in_words(experience) == words
