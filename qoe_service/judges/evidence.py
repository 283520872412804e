"""What research says about who likes which pictures, read from the data files in `evidence/`.

`effects.csv` holds one row per feature and trait: the effect (a correlation-like weight), how well
it is known, whose traits were measured and whether it was replicated. Every row is graded S: read
in a secondary compilation, so a sign is a prior and not an established fact.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from qoe_service.schemas import TRAITS

FOLDER = files("qoe_service") / "evidence"


class Effect(BaseModel):
    """How much more someone one SD up on `trait` likes a picture one SD up on `feature`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str
    trait: Literal["openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"]
    effect: float
    grade: Literal["P", "A", "S"]
    traits_from: str
    """`self`: own questionnaire; `attributed`: observers' impression; `text-inferred`: writings."""
    replicated: bool
    """Seen in three or more samples."""
    contested: bool
    """Samples disagree on the sign."""
    source: str


@cache
def effects() -> tuple[Effect, ...]:
    """All rows of the evidence, in the order of the file."""
    with (FOLDER / "effects.csv").open(encoding="utf-8") as file:
        return tuple(Effect.model_validate(row) for row in csv.DictReader(file))


@cache
def features() -> tuple[str, ...]:
    """The features the evidence speaks of, in the order of the file."""
    return tuple(dict.fromkeys(effect.feature for effect in effects()))


@cache
def effect_matrix() -> NDArray[np.float64]:
    """R of shape (features, traits): zero where nothing is known."""
    matrix = np.zeros((len(features()), len(TRAITS)))
    for effect in effects():
        matrix[features().index(effect.feature), TRAITS.index(effect.trait)] = effect.effect
    matrix.setflags(write=False)
    return matrix
