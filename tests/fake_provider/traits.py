"""Which person a text describes: Big-Five adjectives with the words that grade them.

The adjectives are Goldberg's markers and the everyday words of personality questionnaires.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

Traits = Mapping[str, float]
"""Levels from -1 to 1 by trait; a trait nobody speaks of is 0."""

HIGH = {
    "openness": "imaginative creative artistic artistically appreciative|aesthetic reflective "
    "emotionally aware|curious inquisitive spontaneous intelligent analytical sophisticated "
    "socially progressive|inventive original unconventional insightful philosophical intellectual",
    "conscientiousness": "self-efficacious orderly responsible hardworking hard-working "
    "self-disciplined disciplined practical thrifty organized organised conscientious thorough "
    "tidy efficient reliable dependable meticulous careful systematic punctual",
    "extraversion": "friendly extraverted extroverted talkative bold assertive active energetic "
    "adventurous daring cheerful outgoing sociable lively gregarious enthusiastic",
    "agreeableness": "trustful trusting moral honest kind generous altruistic cooperative humble "
    "sympathetic unselfish agreeable considerate compassionate polite warm warm-hearted forgiving",
    "neuroticism": "tense nervous anxious angry irritable depressed self-conscious impulsive "
    "discontented emotionally unstable|neurotic worried moody touchy stressed insecure "
    "high-strung fretful",
}
LOW = {
    "openness": "unimaginative uncreative artistically unappreciative|unaesthetic unreflective "
    "emotionally closed|uninquisitive incurious predictable unintelligent unanalytical "
    "unsophisticated socially conservative|conventional unoriginal down-to-earth unintellectual",
    "conscientiousness": "unsure messy irresponsible lazy undisciplined impractical extravagant "
    "disorganized disorganised negligent careless untidy inefficient unreliable sloppy "
    "forgetful unsystematic",
    "extraversion": "unfriendly introverted silent timid unassertive inactive unenergetic "
    "unadventurous gloomy shy reserved quiet withdrawn unsociable",
    "agreeableness": "distrustful immoral dishonest unkind stingy unaltruistic uncooperative "
    "self-important unsympathetic selfish disagreeable rude cold cold-hearted quarrelsome harsh "
    "inconsiderate vengeful",
    "neuroticism": "relaxed at ease|easygoing calm patient happy unselfconscious level-headed "
    "contented emotionally stable|even-tempered unworried secure resilient "
    "unexcitable imperturbable",
}
"""Words are set apart by blanks; two words that make one adjective end in a bar."""

GRADES = {
    "extremely": 1.0,
    "very": 0.75,
    "highly": 0.75,
    "quite": 0.4,
    "rather": 0.4,
    "fairly": 0.4,
    "somewhat": 0.4,
    "moderately": 0.4,
    "a bit": 0.25,
    "a little": 0.25,
    "slightly": 0.25,
    "not": -0.5,
}
PLAIN_GRADE = 0.5
"""An adjective without a grading word."""

PATIENCE_S = 8.0
"""How long somebody waits, of whose patience nothing is said."""


@lru_cache(maxsize=4096)
def traits_of(text: str) -> Traits:
    """The mean level of every trait's adjectives; "neither shy nor outgoing" says nothing."""
    found: dict[str, list[float]] = {trait: [] for trait in HIGH}
    for match in _GRADED.finditer(_NEITHER.sub(" ", text.lower())):
        trait, sign = _ADJECTIVES[match["adjective"]]
        grade = GRADES[match["grade"]] if match["grade"] else PLAIN_GRADE
        found[trait].append(sign * grade)
    return MappingProxyType({trait: _mean(levels) for trait, levels in found.items()})


@lru_cache(maxsize=4096)
def patience_s_of(text: str) -> float:
    """How long the person of a text waits gladly: agreeable people longer, neurotic ones less."""
    traits = traits_of(text)
    return PATIENCE_S * math.exp(0.6 * traits["agreeableness"] - 0.6 * traits["neuroticism"])


def _mean(levels: list[float]) -> float:
    return sum(levels) / len(levels) if levels else 0.0


def _split(words: str) -> list[str]:
    """The adjectives of a line: "a b c|d" is a, "b c" and d."""
    adjectives: list[str] = []
    *pairs, rest = words.split("|")
    for pair in pairs:
        *single, first, second = pair.split()
        adjectives += [*single, f"{first} {second}"]
    return adjectives + rest.split()


def _adjectives() -> dict[str, tuple[str, int]]:
    high = {word: (trait, 1) for trait, words in HIGH.items() for word in _split(words)}
    low = {word: (trait, -1) for trait, words in LOW.items() for word in _split(words)}
    return high | low


def _any_of(words: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_ADJECTIVES = _adjectives()
_GRADED = re.compile(
    rf"(?:\b(?P<grade>{_any_of(GRADES)})\s+)?(?<![\w-])(?P<adjective>{_any_of(_ADJECTIVES)})(?![\w-])"
    r"(?<!\bkind(?= of))"
)
_NEITHER = re.compile(
    r"\bneither\s[\w -]{1,40}?\snor\s(?:emotionally |socially |artistically |at )?[\w-]+"
)
