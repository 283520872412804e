"""What a persona's own text gives away: whoever is told the words of the test will pass it.

A persona made of the words of a questionnaire answers that questionnaire well without having any
personality (the circularity that BIG5-CHAT, 2410.16491, found in earlier studies). The adjectives
of the traits are told to everybody, so none of them may share a stem with a statement. What a
single persona is told besides, who it is and where it looks, is checked persona by persona: what
it gives away is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from qoe_service.interview.instruments import Instrument, InstrumentError, Statement
from qoe_service.judges.persona_text import short_portrait, trait_adjectives
from qoe_service.persona import Persona

_EMPTY = """
about after all always am an and are around as at away back be been before being but by can day
days did different do does doing don done draw easily every feel feels feeling find for from
full get gets getting give gives go goes good had has have having he her hers him his how if in
into is it its itself just keep keeps kept know knows leave leaves left life like likes little
lot lots made make makes making many me mind more most much my myself never not of off often on
once one only or other others out over own part parts people person place put puts quick
quickly really right say says she so some spend spends start starts take takes than that the
their them then there they thing things this through time times to too under until up use uses
used very was way well were what when where which while who will with without work works worked
year years you your
"""

EMPTY_WORDS = frozenset(_EMPTY.split())
"""Words that tell nothing of a character: function words, and verbs and nouns that fit anything."""

LEAST_LETTERS = 4
"""A shorter stem begins too many words."""

STEM_LETTERS = 6
"""Words that agree in so many letters are one stem: sympathize, sympathetic."""

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_OPPOSITE = re.compile(r"^(?:un|in|im|dis)(?=[a-z]{4})")
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|(?<!s)s|ly|y)$")


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry the meaning of a text."""
    words = _WORD.findall(text.lower().replace("'", " ").replace("\u2019", " "))
    parts = (part for word in words for part in word.split("-"))
    return frozenset(
        _ENDING.sub("", word)
        for word in parts
        if word not in EMPTY_WORDS and len(word) >= LEAST_LETTERS
    )


def alike(one: str, other: str) -> bool:
    """Whether two stems are of one word, as far as their beginnings tell; opposites are too."""
    ones, others = ({stem, _OPPOSITE.sub("", stem)} for stem in (one, other))
    return any(
        len(min(a, b, key=len)) >= LEAST_LETTERS
        and (a[:STEM_LETTERS].startswith(b[:STEM_LETTERS]) or b.startswith(a[:STEM_LETTERS]))
        for a in ones
        for b in others
    )


def given_away(said: str, statements: Sequence[Statement]) -> dict[int, frozenset[str]]:
    """The statements that a text has words of, by place, with the stems they share."""
    told = stems(said)
    found = {
        place: frozenset(one for one in told if any(alike(one, s) for s in stems(statement.text)))
        for place, statement in enumerate(statements)
    }
    return {place: shared for place, shared in found.items() if shared}


def check_adjectives(
    instrument: Instrument, adjectives: Mapping[str, Iterable[tuple[str, str]]] | None = None
) -> None:
    """Make sure that no adjective of a trait is a word of the instrument.

    Raises:
        InstrumentError: naming the adjectives and the statements.
    """
    table = trait_adjectives() if adjectives is None else adjectives
    words = sorted(word for pairs in table.values() for poles in pairs for word in poles)
    shared = [
        f"{word} ({instrument.statements[place].text})"
        for word in words
        for place in given_away(word, instrument.statements)
    ]
    if shared:
        raise InstrumentError(
            f"personas are told words that {instrument.id} tests them by: {', '.join(shared)}; "
            "take other adjectives for prompts/trait-adjectives.yaml"
        )


def not_to_be_asked(persona: Persona, instrument: Instrument) -> dict[int, frozenset[str]]:
    """The statements, by place, of which this persona's own text has words, and which words."""
    portrait = short_portrait(persona)
    return given_away(f"{portrait.who} {portrait.situation}", instrument.statements)
