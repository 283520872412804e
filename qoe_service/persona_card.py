"""A persona on a card: where each trait stands among people, and what a judge is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

from qoe_service.judges.persona_text import Portrait, short_portrait, trait_level, trait_phrases
from qoe_service.persona import TRAITS, Persona

_PEOPLE = NormalDist()


@dataclass(frozen=True)
class TraitLine:
    """One trait of a persona.

    percentile: how many of a hundred people score lower, if the norm is normally distributed.
    level: from 1 (extremely low) to 9 (extremely high).
    words: the graded adjective that a judge is told.
    """

    trait: str
    z: float
    percentile: float
    level: int
    words: str


@dataclass(frozen=True)
class PersonaCard:
    """All there is to see of a persona, and of its file."""

    persona: Persona
    traits: tuple[TraitLine, ...]
    portrait: Portrait
    file: Path
    fragments: tuple[Path, ...]

    def content(self) -> dict[str, Any]:
        """The card for programs."""
        return {
            "persona": self.persona.model_dump(),
            "content_hash": self.persona.content_hash,
            "traits": [asdict(line) for line in self.traits],
            "portrait": asdict(self.portrait),
            "file": str(self.file),
            "fragments": [str(fragment) for fragment in self.fragments],
        }


def persona_card(persona: Persona, file: Path, fragments: Sequence[Path] = ()) -> PersonaCard:
    """The card of a persona that was read from a file and its fragments."""
    scores = zip(TRAITS, persona.traits.vector(), trait_phrases(persona), strict=True)
    lines = (TraitLine(trait, z, percentile(z), trait_level(z), said) for trait, z, said in scores)
    return PersonaCard(persona, tuple(lines), short_portrait(persona), file, tuple(fragments))


def percentile(z: float) -> float:
    """How many of a hundred people score lower than `z`, by the normal distribution."""
    return 100 * _PEOPLE.cdf(z)


def score_at(percentile: float) -> float:
    """The z-score below which so many of a hundred people are.

    Raises:
        ValueError: for 0, 100 and what lies outside.
    """
    if not 0 < percentile < 100:
        raise ValueError(f"a percentile lies between 0 % and 100 %, got {percentile:g} %")
    return _PEOPLE.inv_cdf(percentile / 100)
