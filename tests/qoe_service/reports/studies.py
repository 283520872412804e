"""Ratings whose truth is known: neurotic raters dislike saturated pictures, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qoe_service.ratings import Ratings
from qoe_service.reports.messages import Source
from qoe_service.reports.study import Study
from qoe_service.schemas import TRAITS, Traits

TASTE = -0.3
"""Points that a rater one SD up on neuroticism takes off a picture one SD up on saturation."""


def study(items: int = 24, raters: int = 12, seed: int = 0, gaps: float = 0.0) -> Study:
    rng = np.random.default_rng(seed)
    quality = rng.normal(3, 0.6, (items, 1))
    saturation = rng.permutation(np.linspace(-1.5, 1.5, items))
    traits = rng.normal(0, 1, (raters, len(TRAITS))).clip(-3, 3)
    tastes = TASTE * np.outer(saturation, traits[:, TRAITS.index("neuroticism")])
    scores = quality + rng.normal(0, 0.2, raters) + tastes + rng.normal(0, 0.15, (items, raters))
    scores[rng.random(scores.shape) < gaps] = np.nan
    names = tuple(f"rater-{number}" for number in range(raters))
    pictures = tuple(f"picture-{number}" for number in range(items))
    return Study(
        sessions={"": Ratings(pictures, names, scores.clip(1, 5))},
        traits={
            name: Traits(**dict(zip(TRAITS, map(float, row), strict=True)))
            for name, row in zip(names, traits, strict=True)
        },
        norms=("sapa-bfi25-adults",),
        features={
            picture: {"saturation": float(x), "constant": 1.0}
            for picture, x in zip(pictures, saturation, strict=True)
        },
        sources=(Source(tier="clip", judge="a-clip", revision="1"),),
    )


def with_scores(given: Study, scores: np.ndarray) -> Study:
    """The study with other scores, over as many of its items and raters as these have."""
    table = given.ratings
    items, raters = table.items[: len(scores)], table.raters[: scores.shape[1]]
    return replace(given, sessions={"": Ratings(items, raters, scores)})


def people(given: Study, count: int = 20, seed: int = 5) -> Ratings:
    """People who agree with the panel on the whole, and tick whole grades."""
    rng = np.random.default_rng(seed)
    means = np.nanmean(given.ratings.scores, axis=1, keepdims=True)
    ticked = np.round(means + rng.normal(0, 0.5, (len(means), count))).clip(1, 5)
    return Ratings(given.ratings.items, tuple(f"human-{n}" for n in range(count)), ticked)
