"""From an opinion to a chat completion: the answer's text, its token probabilities, its price."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import orjson

from tests.fake_provider.bell import LEVELS, WORDS, level_probabilities
from tests.fake_provider.misbehaviour import Misbehaviour
from tests.fake_provider.protocol import (
    Alternative,
    ChatReply,
    ChatRequest,
    Choice,
    Logprobs,
    ReplyMessage,
    TokenLogprob,
    Usage,
)
from tests.fake_provider.reading import Reading
from tests.fake_provider.structured import Opinion, fill

REST = (("The", 0.5), ("I", 0.25), ("This", 0.15), ("\n", 0.1))
"""What a model says instead of a level, and how the rest of the probability is shared out."""

OTHER_CASE = 0.05
"""The share of a word's probability that is on the other spelling, good for Good."""

LOW_MASS = 0.1
"""The probability of all five levels together in an answer of low mass."""

PROSE = (
    "Looking closely, some parts of it are excellent while others are rather poor; "
    "I would not call it bad, and 3 or 4 out of 5 seem equally fair to me."
)
OUT_OF_RANGE = ("7", "-1")
REFUSAL = "I'm sorry, but I can't help with rating this picture."

Probabilities = dict[str, float]


@dataclass(frozen=True)
class Judgement:
    """All that the answers to a request depend on, other than chance."""

    request: ChatRequest
    reading: Reading
    score: float
    rest_mass: float
    huge_bytes: int
    token_letters: int | None = None
    misbehaviour: Misbehaviour | None = None

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """The probability of each level among the levels."""
        return level_probabilities(self.score)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The first token of each level, lowest first."""
        return tuple(level[: self.token_letters] for level in self.reading.levels)


def reply_to(judgement: Judgement, *, name: str, rng: np.random.Generator) -> ChatReply:
    """The chat completion, called `name`."""
    choices = _choices(judgement, rng)
    return ChatReply(
        id=name,
        created=int(time.time()),
        model=judgement.request.model,
        choices=choices,
        usage=_usage(judgement, choices),
    )


def _choices(judgement: Judgement, rng: np.random.Generator) -> list[Choice]:
    count = judgement.request.n
    match judgement.misbehaviour:
        case Misbehaviour.EMPTY_CHOICES:
            count = 0
        case Misbehaviour.WRONG_LENGTH:
            count -= 1
    return [_choice(judgement, index, rng) for index in range(count)]


def _choice(judgement: Judgement, index: int, rng: np.random.Generator) -> Choice:
    match judgement.misbehaviour:
        case Misbehaviour.REFUSAL:
            return Choice(index, ReplyMessage(None, refusal=REFUSAL), None)
        case Misbehaviour.FILTERED:
            return Choice(index, ReplyMessage(""), None, "content_filter")
        case Misbehaviour.PROSE:
            return _said(judgement, index, PROSE, {})
        case Misbehaviour.HUGE:
            return _endless(judgement, index)
        case Misbehaviour.OUT_OF_RANGE:
            return _out_of_range(judgement, index, rng)
    shares = judgement.shares
    level = _draw(shares, judgement.request.temperature, rng)
    return _said(judgement, index, _text(judgement, level), _first_token(judgement, shares))


def _endless(judgement: Judgement, index: int) -> Choice:
    """Prose over and over, whatever the token limit; probabilities of its first sentence only."""
    text = PROSE * (1 + judgement.huge_bytes // len(PROSE))
    logprobs = _logprobs(judgement, _pieces(judgement, PROSE), {})
    return Choice(index, ReplyMessage(text), logprobs, "length")


def _out_of_range(judgement: Judgement, index: int, rng: np.random.Generator) -> Choice:
    said = OUT_OF_RANGE[rng.integers(len(OUT_OF_RANGE))]
    text = said
    if judgement.request.schema_of_answer is not None:
        template = fill(judgement.request.schema_of_answer, Opinion(judgement.score, 3))
        text = orjson.dumps(_with_numbers(template, int(said))).decode()
    return _said(judgement, index, text, {said: 0.9, "10": 0.06, "0": 0.04})


def _with_numbers(value: object, number: int) -> object:
    """The same value, every number or level in it replaced."""
    match value:
        case dict():
            return {key: _with_numbers(part, number) for key, part in value.items()}
        case list():
            return [_with_numbers(part, number) for part in value]
        case bool() | None:
            return value
        case int() | float():
            return number
        case str() if value.lower() in (*WORDS, *map(str, LEVELS)):
            return str(number)
    return value


def _draw(shares: Sequence[float], temperature: float | None, rng: np.random.Generator) -> int:
    """A level: the likeliest at temperature 0, else by chance."""
    if temperature == 0:
        return LEVELS[max(range(len(shares)), key=shares.__getitem__)]
    tempered = np.array(shares) ** (1 / (1.0 if temperature is None else temperature))
    return int(rng.choice(LEVELS, p=tempered / tempered.sum()))


def _text(judgement: Judgement, level: int) -> str:
    schema = judgement.request.schema_of_answer
    if schema is None:
        return judgement.reading.levels[level - 1]
    levels = judgement.reading.levels
    words = WORDS if levels[0].isdigit() else levels
    return orjson.dumps(fill(schema, Opinion(judgement.score, level, words))).decode()


def _first_token(judgement: Judgement, shares: Sequence[float]) -> Probabilities:
    """The probabilities where a level is said. Their mean over the levels alone is the score."""
    low = judgement.misbehaviour is Misbehaviour.LOW_MASS
    mass = LOW_MASS if low else 1 - judgement.rest_mass
    rest = {token: (1 - mass) * share for token, share in REST}
    levels: Probabilities = {}
    for token, share in zip(judgement.tokens, shares, strict=True):
        levels[token] = levels.get(token, 0.0) + mass * share * (1 - OTHER_CASE)
        other = token.capitalize() if token.islower() else token.lower()
        levels[other] = levels.get(other, 0.0) + mass * share * OTHER_CASE
    return levels | rest


def _said(judgement: Judgement, index: int, text: str, at_level: Probabilities) -> Choice:
    """A choice that says `text`; its level tokens had the alternatives `at_level`."""
    pieces, finish = _pieces(judgement, text), "stop"
    limit = judgement.request.token_limit
    if limit is not None and len(pieces) > limit:
        pieces, finish = pieces[:limit], "length"
    return Choice(
        index,
        ReplyMessage("".join(pieces)),
        _logprobs(judgement, pieces, at_level),
        finish,
    )


def _logprobs(judgement: Judgement, pieces: list[str], at_level: Probabilities) -> Logprobs | None:
    if not judgement.request.logprobs or judgement.misbehaviour is Misbehaviour.NO_LOGPROBS:
        return None
    most = judgement.request.top_logprobs or 0
    return Logprobs([_token(piece, at_level, most) for piece in pieces])


def _token(piece: str, at_level: Probabilities, most: int) -> TokenLogprob:
    probabilities = at_level if piece in at_level else {piece: 0.97, "…": 0.03}
    likeliest = sorted(probabilities.items(), key=lambda pair: -pair[1])[:most]
    return TokenLogprob(
        piece,
        math.log(probabilities[piece]),
        _bytes(piece),
        [Alternative(token, math.log(share), _bytes(token)) for token, share in likeliest],
    )


def _pieces(judgement: Judgement, text: str) -> list[str]:
    """The tokens of a text."""
    pieces: list[str] = []
    for word in _PIECES.findall(text):
        cut = judgement.token_letters if word in judgement.reading.levels else None
        pieces += [part for part in (word[:cut], word[cut:] if cut else "") if part]
    return pieces


@lru_cache(maxsize=1024)
def _bytes(token: str) -> list[int]:
    return list(token.encode())


def _usage(judgement: Judgement, choices: Sequence[Choice]) -> Usage:
    """About four letters a token, and what hosted models charge for a small picture."""
    reading = judgement.reading
    asked = 7 + reading.letters // 4 + 85 * reading.pictures
    said = sum(max(1, len(choice.message.content or "") // 4) for choice in choices)
    return Usage(asked, said, asked + said)


_PIECES = re.compile(r"-?\d+|\w+|\s+|[^\w\s]")
"""What counts as a token here."""
