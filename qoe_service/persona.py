"""A persona: Big-Five z-scores on a published norm, and the circumstances of looking."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Literal

from pydantic import Field

from qoe_service.norms import NormName
from qoe_service.wire import Wire

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
"""The Big Five, in the order every trait vector of this project uses."""

MOST_EXTREME_Z = 4.0

ID_PATTERN = r"^[a-z][a-z0-9-]{0,63}$"


class Traits(Wire):
    """Big-Five z-scores against the persona's norm: 0 is the population mean, 1 one SD."""

    openness: float = Field(ge=-MOST_EXTREME_Z, le=MOST_EXTREME_Z)
    conscientiousness: float = Field(ge=-MOST_EXTREME_Z, le=MOST_EXTREME_Z)
    extraversion: float = Field(ge=-MOST_EXTREME_Z, le=MOST_EXTREME_Z)
    agreeableness: float = Field(ge=-MOST_EXTREME_Z, le=MOST_EXTREME_Z)
    neuroticism: float = Field(ge=-MOST_EXTREME_Z, le=MOST_EXTREME_Z)

    def vector(self) -> tuple[float, ...]:
        """The five z-scores in the order of `TRAITS`."""
        return tuple(getattr(self, trait) for trait in TRAITS)


class Experience(Wire):
    """How much of a connoisseur someone is: 0 none, 1 a professional."""

    art: float = Field(default=0.2, ge=0, le=1)
    photography: float = Field(default=0.2, ge=0, le=1)


class Viewing(Wire):
    """Where and on what the pictures are looked at."""

    device: Literal["phone", "tablet", "laptop", "desktop", "television"] = "phone"
    situation: str = Field(default="at home", min_length=1, max_length=120)


class Persona(Wire):
    """One person of the panel.

    `traits` are z-scores against the population that `norm` names; +-1 is one standard deviation.
    """

    id: str = Field(pattern=ID_PATTERN, description="Equal to the file's name.")
    name: str = Field(min_length=1, max_length=80)
    traits: Traits
    norm: NormName = Field(description="The population the z-scores refer to.")
    about: str = Field(
        min_length=1, max_length=600, description="Who this is, in a sentence or two."
    )
    experience: Experience = Experience()
    viewing: Viewing = Viewing()
    patience_s: float = Field(default=8.0, gt=0, le=600, description="Wait that begins to annoy.")
    weight: float = Field(
        default=1.0, gt=0, le=1e6, description="How often a drawn panel should include this person."
    )

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of everything the file says: a changed persona is another persona."""
        content = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()
