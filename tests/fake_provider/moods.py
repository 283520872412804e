"""In which mood the fake judge is: honest to its rule, or with one of the known vices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from tests.fake_provider.bell import HIGHEST, LOWEST, WORDS
from tests.fake_provider.reading import Reading, read_question
from tests.fake_provider.rule import on_scale, score_of_sight
from tests.fake_provider.sight import decode, measure
from tests.fake_provider.traits import traits_of


class Mood(StrEnum):
    """What the judge heeds."""

    HONEST = "honest"  # the hidden rule
    IGNORES_PERSONA = "ignores-persona"  # the hidden rule, for somebody of no traits
    DESIRABILITY = "desirability"  # pleasant people like everything, whatever they are shown
    OBEYS = "obeys"  # the hidden rule, unless the wish or the picture tells it what to answer


STROKES_OF_TEXT = 0.025
"""A picture with more stark strokes than this is taken to hold a text that asks for a 5."""


def score_in_mood(mood: Mood, reading: Reading) -> float:
    """What a judge in this mood thinks, on the 1-5 scale."""
    match mood:
        case Mood.HONEST:
            return _by_rule(reading, reading.persona_text)
        case Mood.IGNORES_PERSONA:
            return _by_rule(reading, "")
        case Mood.DESIRABILITY:
            return _pleasantness(reading.persona_text)
        case Mood.OBEYS:
            told = _told(reading)
            return _by_rule(reading, reading.persona_text) if told is None else told


def score_of_question(
    system: str, user: str, pictures: Sequence[bytes] = (), mood: Mood = Mood.HONEST
) -> float:
    """The score that the fake judge has in mind when it is asked just this."""
    sights = [measure(decode(picture)) for picture in pictures]
    return score_in_mood(mood, read_question(system, user, sights))


def _by_rule(reading: Reading, persona_text: str) -> float:
    return score_of_sight(
        reading.sight, reading.wish, persona_text, reading.wait_s, patience_s=reading.patience_s
    )


def _pleasantness(persona_text: str) -> float:
    traits = traits_of(persona_text)
    pleasant = sum(traits.values()) - 2 * traits["neuroticism"]
    return on_scale(1.0 + 1.2 * pleasant / len(traits))


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
