"""What the fake judge makes of a request: who looks, at what, wished how, after which wait.

Tolerant of templates: it needs `<wish>...</wish>` and, where there is no picture,
`<description>...</description>`; everything else is found wherever it stands outside of these.
`<statement>...</statement>` instead is a statement about oneself: how accurate is it?
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import fmean

from tests.fake_provider.bell import LEVELS, WORDS
from tests.fake_provider.protocol import ChatRequest, ImagePart, Message, TextPart
from tests.fake_provider.sight import NOTHING_SEEN, Eyes, Sight

ACCURACIES = (
    "very inaccurate",
    "moderately inaccurate",
    "neither accurate nor inaccurate",
    "moderately accurate",
    "very accurate",
)
"""The answers to a statement in words, lowest first."""

PROPERTIES = ("brightness", "colourfulness", "sharpness")
"""What a description may give numbers of, under the names and on the scales of `Sight`."""


@dataclass(frozen=True)
class Reading:
    """A request, understood.

    pictures: how many were shown; `sight` is their mean, or what the description says.
    described: the properties that a description gave numbers of.
    wait_s: seconds after "waited". patience_s: those of a "patience of" or of "a wait of".
    levels: the answers asked for, lowest first: words as the question spells them, or digits.
    letters: how long the text was.
    statement: about oneself, empty where none is asked about.
    """

    persona_text: str
    wish: str
    wait_s: float
    patience_s: float | None
    sight: Sight
    pictures: int
    described: tuple[str, ...]
    levels: tuple[str, ...]
    letters: int
    statement: str = ""


def read(request: ChatRequest, eyes: Eyes) -> Reading:
    """Understand a request. Raises `UnreadablePicture`."""
    system = _text(message for message in request.messages if message.role in _SYSTEM)
    user = _text(message for message in request.messages if message.role not in _SYSTEM)
    return read_question(system, user, [eyes.see(url) for url in _pictures(request.messages)])


def read_question(system: str, user: str, sights: Sequence[Sight]) -> Reading:
    """Understand a question asked with pictures that were seen so, or without any."""
    reading = _read_texts(system, user)
    return replace(reading, sight=_mean(sights), pictures=len(sights)) if sights else reading


@lru_cache(maxsize=4096)
def _read_texts(system: str, user: str) -> Reading:
    question, statement = f"{system}\n{_QUOTED.sub(' ', user)}", _between(_STATEMENT, user)
    described = _described(_between(_DESCRIPTION, user))
    return Reading(
        persona_text=system,
        wish=_between(_WISH, user),
        wait_s=_seconds(_WAITED, question) or 0.0,
        patience_s=_seconds(_PATIENCE, question),
        sight=replace(NOTHING_SEEN, **described),
        pictures=0,
        described=tuple(described),
        levels=_levels(question, ACCURACIES if statement else WORDS),
        letters=len(system) + len(user),
        statement=statement,
    )


def _levels(question: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Words where the question names them, unless it lists the digits as what to choose from."""
    found = [re.search(rf"\b{word}\b", question, re.IGNORECASE) for word in words]
    if _LISTED_DIGITS.search(question) or not (found[0] and found[-1]):
        return tuple(map(str, LEVELS))
    return tuple(match[0] if match else word for match, word in zip(found, words, strict=True))


def _seconds(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return float(found["seconds"]) if found else None


def _text(messages: Iterator[Message]) -> str:
    return "\n".join(text for message in messages for text in _texts(message))


def _texts(message: Message) -> list[str]:
    if isinstance(message.content, str):
        return [message.content]
    return [part.text for part in message.content if isinstance(part, TextPart)]


def _pictures(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        if not isinstance(message.content, str):
            yield from (
                part.image_url.url for part in message.content if isinstance(part, ImagePart)
            )


def _mean(sights: Sequence[Sight]) -> Sight:
    return Sight(
        brightness=fmean(sight.brightness for sight in sights),
        colourfulness=fmean(sight.colourfulness for sight in sights),
        sharpness=fmean(sight.sharpness for sight in sights),
        strokes=max(sight.strokes for sight in sights),
    )


def _between(tags: re.Pattern[str], text: str) -> str:
    found = tags.search(text)
    return found[1].strip() if found else ""


def _described(description: str) -> dict[str, float]:
    found = {}
    for name in PROPERTIES:
        number = re.search(
            rf"\b{name}\b[^\d\n,;-]{{0,12}}(-?\d+(?:\.\d+)?)(\s*%)?", description, re.I
        )
        if number:
            found[name] = float(number[1]) / (100 if number[2] else 1)
    return found


_SYSTEM = ("system", "developer")
_WISH = re.compile(r"<wish>(.*?)</wish>", re.DOTALL)
_DESCRIPTION = re.compile(r"<description>(.*?)</description>", re.DOTALL)
_STATEMENT = re.compile(r"<statement>(.*?)</statement>", re.DOTALL)
_QUOTED = re.compile(r"<(wish|description|statement)>.*?</\1>", re.DOTALL)
_LISTED_DIGITS = re.compile(r"\b(?:5, 4, 3, 2(?:,| or|, or) 1|1, 2, 3, 4(?:,| or|, or) 5)\b")
_SECONDS = r"(?P<seconds>\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?\b"
_WAITED = re.compile(rf"\bwaited\s+(?:for\s+|about\s+)*{_SECONDS}", re.IGNORECASE)
_PATIENCE = re.compile(
    rf"\b(?:patience\b[^.\d]{{0,40}}?|patient for |a wait of ){_SECONDS}", re.IGNORECASE
)
