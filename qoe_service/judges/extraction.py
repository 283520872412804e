"""From what a model answered to a score, or to `CallFailed`: an unreadable answer has no score.

Best is the expected value over the probabilities of the levels, as G-Eval (2303.16634) and Q-Align
(2312.17090) read a judge: it keeps what the model was undecided about. Without probabilities there
is a JSON answer that fits a schema, or a bare level. Prose is never searched for a number.
"""

from __future__ import annotations

import json
import math
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal, NoReturn

from pydantic import ValidationError

from qoe_service.judges.questions import ANSWER_KEY, DIGITS, WORDS, Levels, answer_model
from qoe_service.provider import Answer, CallFailed, FailureKind, TokenChoice

Extraction = Literal["logprobs", "structured"]

LEAST_MASS = 0.8
"""Least share of the probability that must be on the levels for their mean to say something."""

ROUNDING_SPREAD = 1 / math.sqrt(12)
"""Standard deviation of what lies within half a grade of a whole one: all a bare level says."""

LEAST_CUT = 2
"""Letters that tell a level cut off by the token limit from a school grade such as F or B."""

_DECORATION = string.whitespace + "\u00a0\"'*_`\u201c\u201d\u2018\u2019"
_TOKEN_DECORATION = _DECORATION + "\u2581\u0120\u010a"  # spaces and line ends in raw vocabularies
_WORD = re.compile(r"[^\W_]+")
_ENDS_THERE = re.compile(r"[\"'*_`\u201d\u2019]*([.!:;][\"'*_`\u201d\u2019]*(\s|$)|[ \t]*(\n|$))")


@dataclass(frozen=True)
class Reading:
    """A score on the 1-5 scale.

    spread: standard deviation of the judge's own distribution over the grades; of a bare level,
        which shows none, the rounding to whole grades.
    mass: probability the levels captured together, `None` where there are no probabilities.
    """

    score: float
    spread: float
    mass: float | None
    extraction: Extraction


@dataclass(frozen=True)
class MergedReading:
    """The mean of several readings of one question, with its standard error."""

    score: float
    standard_error: float
    mass: float | None
    extraction: Extraction
    samples: int


def score_from_levels(
    answer: Answer, levels: Levels = WORDS, least_mass: float = LEAST_MASS
) -> Reading:
    """The expected grade over the probabilities of the levels where the answer's level begins.

    A token counts for the level of which alone it is the beginning, in any case and spacing.

    Raises:
        CallFailed: unreadable, if the answer is not a level or too little probability is on them.
    """
    _check_says_a_level(answer.text, levels)
    return expected_grade(_level_probabilities(_answer_place(answer), levels), levels, least_mass)


def expected_grade(
    probabilities: Sequence[float], levels: Levels, least_mass: float = LEAST_MASS
) -> Reading:
    """The mean grade over the probabilities of the levels, as shares of what is on them together.

    Raises:
        CallFailed: unreadable, if too little is on them.
    """
    mass = math.fsum(probabilities)
    if not mass >= least_mass:
        _unreadable(f"only {mass:.3f} of the probability is on the levels, not {least_mass}")
    if mass > 1.001:
        _unreadable(f"the probabilities of the levels sum to {mass:.3f}, more than 1")
    shares = [probability / mass for probability in probabilities]
    mean = math.fsum(share * grade for share, grade in zip(shares, levels.grades, strict=True))
    variance = math.fsum(
        share * (grade - mean) ** 2 for share, grade in zip(shares, levels.grades, strict=True)
    )
    within = min(max(mean, min(levels.grades)), max(levels.grades))
    return Reading(within, math.sqrt(variance), min(mass, 1.0), "logprobs")


def score_from_json(answer: Answer, levels: Levels = WORDS) -> Reading:
    """The grade of the level that a JSON answer names.

    Raises:
        CallFailed: unreadable, if the answer is not that JSON object and nothing else.
    """
    try:
        content = json.loads(answer.text, object_pairs_hook=_without_repetition)
        opinion = answer_model(levels).model_validate(content)
    except (ValueError, RecursionError) as error:
        _unreadable(f"not the JSON object asked for: {_first_line(error)}", answer.text)
    grade = levels.grade(getattr(opinion, ANSWER_KEY))
    assert grade is not None  # `answer_model` lets no other label pass
    return Reading(grade, ROUNDING_SPREAD, None, "structured")


def merge_samples(readings: Sequence[Reading]) -> MergedReading:
    """One reading from several samples of one question.

    Each counts as a draw from its distribution, so the standard error is never below the spread
    over the root of their number: five equal levels do not prove that a sixth would be equal.

    Raises:
        ValueError: if there are none, or they were not extracted alike.
    """
    if len({reading.extraction for reading in readings}) != 1:
        raise ValueError("needs at least one reading, and all of the same extraction")
    scores = [reading.score for reading in readings]
    between = stdev(scores) if len(scores) > 1 else 0.0
    within = math.sqrt(fmean(reading.spread**2 for reading in readings))
    masses = [reading.mass for reading in readings if reading.mass is not None]
    return MergedReading(
        score=fmean(scores),
        standard_error=max(between, within) / math.sqrt(len(scores)),
        mass=fmean(masses) if masses else None,
        extraction=readings[0].extraction,
        samples=len(readings),
    )


def distinct_first_tokens(tokens_by_word: Mapping[str, Sequence[str]]) -> bool:
    """Whether the first visible token of each word belongs to that word alone."""
    words = Levels(tuple(tokens_by_word), grades=())
    return all(
        words.begun_by(first_visible(tokens)) == (index,)
        for index, tokens in enumerate(tokens_by_word.values())
    )


def choose_levels(tokens_by_word: Mapping[str, Sequence[str]]) -> Levels:
    """Words where the model's tokens tell them apart from the first on, else digits.

    tokens_by_word: how a tokenizer splits each word.
    """
    known = all(word in tokens_by_word for word in WORDS.labels)
    return WORDS if known and distinct_first_tokens(tokens_by_word) else DIGITS


def visible(token: str) -> str:
    """What is left of a token without spaces, line ends and marks of emphasis around it."""
    return token.strip(_TOKEN_DECORATION)


def first_visible(tokens: Sequence[str]) -> str:
    """The first token that shows, without decoration; empty if none does."""
    return next((visible(token) for token in tokens if visible(token)), "")


def _check_says_a_level(text: str, levels: Levels) -> None:
    """The text must be a level, perhaps cut off, perhaps with more to say on it afterwards.

    The probabilities stand where an answer begins; only the text shows that "Fair" did not go on
    as "Fairly bad".
    """
    said = text.lstrip(_DECORATION)
    word = _WORD.match(said)
    if word is None:
        _not_a_level(text, levels)
    rest = said[word.end() :]
    if levels.grade(word[0]) is not None and _ENDS_THERE.match(rest):
        return
    cut_off = not rest and len(word[0]) >= LEAST_CUT and len(levels.begun_by(word[0])) == 1
    if not cut_off:
        _not_a_level(text, levels)


def _answer_place(answer: Answer) -> Sequence[TokenChoice]:
    """The choices at the first place where something visible is likeliest."""
    for place in answer.choices:
        if any(not choice.log_probability <= 1e-3 for choice in place):
            _unreadable("a log-probability is above 0 or not a number")
        if place and visible(_likeliest(place).token):
            return place
    return _unreadable("no log-probabilities of anything visible came with the answer")


def _level_probabilities(place: Sequence[TokenChoice], levels: Levels) -> list[float]:
    probabilities = [0.0] * len(levels.labels)
    once = {choice.token: choice for choice in place}  # some servers repeat the chosen token
    for choice in once.values():
        begin = visible(choice.token)
        begun = levels.begun_by(begin) if begin else ()
        if len(begun) == 1:
            probabilities[begun[0]] += math.exp(choice.log_probability)
    return probabilities


def _likeliest(place: Sequence[TokenChoice]) -> TokenChoice:
    return max(place, key=lambda choice: choice.log_probability)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the answer'}: {first['msg']}"
    return str(error)


def _not_a_level(text: str, levels: Levels) -> NoReturn:
    _unreadable(f"the answer is not one of {', '.join(levels.labels)}", text)


def _unreadable(reason: str, text: str | None = None) -> NoReturn:
    shown = "" if text is None else f": {text[:80]!r}" if text.strip() else ": it is empty"
    raise CallFailed(FailureKind.UNREADABLE, reason + shown)
