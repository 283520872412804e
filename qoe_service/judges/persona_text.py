"""A persona in words: graded adjectives for its traits, and a short portrait for a judge to play.

Each trait has nine levels, an intensity times an adjective of one pole, after Serapio-García et al.
(Nature Machine Intelligence, 2025). The portrait is short because richer persona texts make a
population of judges less diverse, not more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from qoe_service.personas import Persona
from qoe_service.schemas import TRAITS

Poles = tuple[str, str]
"""An adjective of a trait's low pole and one of its high pole."""

LEVEL_CUTS_Z = (0.25, 0.75, 1.25, 1.75)
"""|z| above which a trait is one level further from average.

Bins half a standard deviation wide around the mean: in a normal population 20 % are average in a
trait and 4 % extreme at either end.
"""

AVERAGE_LEVEL = 5

INTENSITIES = ("a bit", "", "very", "extremely")
"""How strongly, one to four levels away from average."""

EXPERIENCE_CUTS = (0.125, 0.375, 0.625, 0.875)
EXPERIENCE_WORDS = ("none", "little", "some", "much", "professional")
"""How much experience, from 0 to 1, in steps of a quarter, each cut halfway between two."""


@dataclass(frozen=True)
class Portrait:
    """What a template can say of a persona, in words."""

    name: str
    who: str
    traits: str
    art: str
    photography: str
    device: str
    situation: str


@lru_cache(maxsize=1024)
def short_portrait(persona: Persona) -> Portrait:
    """One adjective a trait, and the first sentence of who this is."""
    first_sentence = re.split(r"(?<=[.!?])\s+", persona.about.strip(), maxsplit=1)[0]
    return Portrait(
        name=persona.name,
        who=first_sentence,
        traits=_enumerated(trait_phrases(persona)),
        art=experience_in_words(persona.experience.art),
        photography=experience_in_words(persona.experience.photography),
        device=persona.viewing.device,
        situation=persona.viewing.situation,
    )


def trait_level(z: float) -> int:
    """The level of a z-score from 1 (extremely low) to 9 (extremely high); 5 is average."""
    steps = sum(abs(z) > cut for cut in LEVEL_CUTS_Z)
    return AVERAGE_LEVEL + (steps if z > 0 else -steps)


def graded(level: int, poles: Poles) -> str:
    """A level of a trait in the words of one pair of adjectives."""
    low, high = poles
    if level == AVERAGE_LEVEL:
        return f"neither {low} nor {high}"
    intensity = INTENSITIES[abs(level - AVERAGE_LEVEL) - 1]
    return f"{intensity} {high if level > AVERAGE_LEVEL else low}".lstrip()


def trait_phrases(persona: Persona) -> tuple[str, ...]:
    """A graded adjective for each trait; which one, the persona's content decides."""
    return tuple(
        graded(trait_level(z), _chosen(persona, trait))
        for trait, z in zip(TRAITS, persona.traits.vector(), strict=True)
    )


def experience_in_words(experience: float) -> str:
    """How much an experience is, between 0 (none) and 1 (a professional's)."""
    return EXPERIENCE_WORDS[sum(experience > cut for cut in EXPERIENCE_CUTS)]


@cache
def trait_adjectives() -> Mapping[str, tuple[Poles, ...]]:
    """The pairs of `prompts/trait-adjectives.yaml`, by trait."""
    text = (files("prompts") / "trait-adjectives.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, tuple[Poles, ...]]).validate_python(yaml.safe_load(text))


def _chosen(persona: Persona, trait: str) -> Poles:
    def lot(poles: Poles) -> bytes:
        drawn = "/".join((persona.content_hash, trait, *poles))
        return hashlib.sha256(drawn.encode()).digest()

    return min(trait_adjectives()[trait], key=lot)


def _enumerated(phrases: Sequence[str]) -> str:
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
