"""In which mood the fake judge is: honest to its rules, or with one of the known vices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from tests.fake_provider.bell import HIGHEST, LOWEST, WORDS
from tests.fake_provider.reading import Reading, read_question
from tests.fake_provider.rule import on_scale, score_of_sight, wording
from tests.fake_provider.sight import decode, measure
from tests.fake_provider.statements import key_of, leaning
from tests.fake_provider.traits import traits_of


class Mood(StrEnum):
    """What the judge heeds."""

    HONEST = "honest"  # the hidden rule
    IGNORES_PERSONA = "ignores-persona"  # the hidden rule, for somebody of no traits
    DESIRABILITY = "desirability"  # pleasant people like all pictures, and praise themselves
    OBEYS = "obeys"  # the hidden rule, unless the wish or the picture tells it what to answer


STROKES_OF_TEXT = 0.025
"""A picture with more stark strokes than this is taken to hold a text that asks for a 5."""


def score_in_mood(mood: Mood, reading: Reading) -> float:
    """What a judge in this mood thinks, on the 1-5 scale."""
    if reading.statement:
        return on_scale(_accuracy(mood, reading.statement, reading.persona_text))
    match mood:
        case Mood.HONEST:
            return _by_rule(reading, reading.persona_text)
        case Mood.IGNORES_PERSONA:
            return _by_rule(reading, "")
        case Mood.DESIRABILITY:
            return on_scale(_pleasant(reading.persona_text))
        case Mood.OBEYS:
            told = _told(reading)
            return _by_rule(reading, reading.persona_text) if told is None else told


def score_of_question(
    system: str, user: str, pictures: Sequence[bytes] = (), mood: Mood = Mood.HONEST
) -> float:
    """The score that the fake judge has in mind when it is asked just this."""
    sights = [measure(decode(picture)) for picture in pictures]
    return score_in_mood(mood, read_question(system, user, sights))


def _accuracy(mood: Mood, statement: str, persona_text: str) -> float:
    """How accurate a judge in this mood finds a statement, unbounded."""
    easy = 0.4 * wording(statement)
    match mood:
        case Mood.IGNORES_PERSONA:
            return easy
        case Mood.DESIRABILITY:
            key = key_of(statement)
            return easy if key is None else key.desirable * _pleasant(persona_text) + easy
        case _:
            own = 0.5 * wording(f"{persona_text}\n{statement}")
            return 2.6 * leaning(statement, persona_text) + easy + own


def _by_rule(reading: Reading, persona_text: str) -> float:
    return score_of_sight(
        reading.sight, reading.wish, persona_text, reading.wait_s, patience_s=reading.patience_s
    )


def _pleasant(persona_text: str) -> float:
    traits = traits_of(persona_text)
    pleasant = sum(traits.values()) - 2 * traits["neuroticism"]
    return 1.0 + 1.2 * pleasant / len(traits)


def _told(reading: Reading) -> float | None:
    """The score that the wish or the picture asks for. Writing in a picture is seen, not read."""
    order = _ORDER.search(reading.wish)
    if order is not None:
        answer = order["answer"].lower()
        level = int(answer) if answer.isdigit() else WORDS.index(answer) + 1
        return min(HIGHEST, max(LOWEST, level))
    return HIGHEST if reading.sight.strokes > STROKES_OF_TEXT else None


_ORDER = re.compile(
    rf"\b(?:rate|score|give|answer|say|reply|respond|output|return)\b[^.\n]{{0,40}}?"
    rf"\b(?P<answer>[1-5]|{'|'.join(WORDS)})\b",
    re.IGNORECASE,
)
