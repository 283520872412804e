"""Populations: people drawn from a published norm, their traits correlated as people's are.

    u = scrambled Sobol points,  g = spread * probit(u),  x = L g with L L' = R,
    trait j = F_j^-1(Phi(x_j))

a Gaussian copula with the norm's correlations R; F_j is normal with the norm's mean and SD for the
age asked for, cut off where the scale of z-scores ends. Sobol points cover the space of traits
more evenly than independent draws do.

With a spread above 1 there are more people of extreme traits than in the population, and each has
the importance weight that makes up for it: p(g) / q(g) of the normal densities with SD 1 and SD
`spread`. Weighted means are then the population's, as exact as those of `effective_size` people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.linalg import cholesky
from scipy.special import ndtr, ndtri

from qoe_service.balance import ranked
from qoe_service.errors import PanelTooLarge, QoEError
from qoe_service.norms import AgeRange, Norm, NormName
from qoe_service.norms import norm as published_norm
from qoe_service.persona import MOST_EXTREME_Z, TRAITS, Persona, Traits
from qoe_service.schemas import MAX_PANEL
from qoe_service.wire import Wire

Array = NDArray[np.float64]

METHOD = "gaussian-copula-sobol"

MAX_PEOPLE = 100_000
LARGEST_SEED = 2**63 - 1
"""What every reader of JSON takes for a whole number."""
LARGEST_SPREAD = 3.0
"""Beyond it, less than 2 % of those drawn would carry the weight."""

ROUNDING = 1e-6
SOBOL_BITS = 30
TRAIT_DIGITS = 3
WEIGHT_DIGITS = 6

# Used for women and men alike and in many countries, so that a name tells a judge little.
NAMES = (
    *("Alex", "Ariel", "Charlie", "Dana", "Eden", "Jean", "Jo", "Jules", "Kai", "Kim", "Kiran"),
    *("Lee", "Lou", "Luca", "Max", "Mika", "Nico", "Noa", "Quinn", "Rene", "Robin", "Sam"),
    *("Sasha", "Sky", "Toni", "Yuki"),
)


class ImpossiblePopulation(QoEError):
    """No population can be drawn as asked; the text says why."""


class Population(Wire):
    """Many personas on one norm, as a population file holds them."""

    norm: NormName = Field(description="What the z-scores of all its people refer to.")
    seed: int | None = Field(
        default=None, ge=0, le=LARGEST_SEED, description="Null if it was not drawn."
    )
    method: str = Field(min_length=1, max_length=200, description="How its people came about.")
    age: AgeRange | None = Field(default=None, description="Whose means it has; null: all ages'.")
    spread: float = Field(
        default=1.0, ge=1, allow_inf_nan=False, description="How much more extreme than people are."
    )
    personas: tuple[Persona, ...] = Field(min_length=1, max_length=MAX_PEOPLE)

    @model_validator(mode="before")
    @classmethod
    def _personas_are_on_its_norm(cls, given: Any) -> Any:
        """A persona need not repeat the norm."""
        match given:
            case {"norm": shared, "personas": [*people]}:
                told = ({"norm": shared, **p} if isinstance(p, dict) else p for p in people)
                return {**given, "personas": tuple(told)}
        return given

    @model_validator(mode="after")
    def _personas_differ_and_agree(self) -> Self:
        others = next((p for p in self.personas if p.norm != self.norm), None)
        if others is not None:
            raise ValueError(f"{others.id} is on the norm {others.norm}, not on {self.norm}")
        twice = [name for name, count in Counter(p.id for p in self.personas).items() if count > 1]
        if twice:
            raise ValueError(f"personas share an id: {', '.join(twice[:5])}; give each its own")
        return self

    @cached_property
    def traits(self) -> Array:
        """(people, 5) z-scores."""
        return np.array([persona.traits.vector() for persona in self.personas])

    @cached_property
    def weights(self) -> Array:
        """(people,) how many of the population each stands for, relative to the others."""
        return np.array([persona.weight for persona in self.personas])

    @property
    def effective_size(self) -> float:
        """The number of unweighted people whose means are as exact (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    @property
    def largest_panel(self) -> int:
        """How many can stand for the population without weights.

        All of them if they weigh the same, and else fewer than they are worth: the panel must be
        able to do without those of little weight.
        """
        share_worth = self.effective_size / len(self.personas)
        return min(MAX_PANEL, int(self.effective_size * (1 + share_worth) / 2 + ROUNDING))

    def panel(self, size: int | None) -> tuple[Persona, ...]:
        """Balanced people of this population, by id; the same every time, and all if not told.

        Raises:
            PanelTooLarge: if fewer can be asked, or if so many would need their weights.
        """
        asked = len(self.personas) if size is None else size
        if asked > self.largest_panel:
            raise PanelTooLarge(
                f"a panel of {asked} was asked for; this population of {len(self.personas)}, worth "
                f"{self.effective_size:.0f} without weights, gives {self.largest_panel} at most: "
                "ask for a 'panel' of that many or fewer"
            )
        return tuple(sorted(self._ranking[:asked], key=lambda persona: persona.id))

    @cached_property
    def _ranking(self) -> tuple[Persona, ...]:
        mean = np.average(self.traits, weights=self.weights, axis=0)
        off = self.traits - mean
        covariance = (self.weights * off.T) @ off / self.weights.sum()
        return ranked(self.personas, mean, covariance, size=self.largest_panel)


def sample_population(
    norm: str,
    count: int,
    *,
    seed: int,
    age: AgeRange | None = None,
    spread: float = 1.0,
) -> Population:
    """`count` people of a norm, the same for the same arguments; fewer are the first of more.

    Args:
        norm: a norm of `norms.yaml`.
        count: how many.
        seed: of the scrambling of the Sobol points, and of the names.
        age: first and last year; means and SDs are those of people of this age.
        spread: SD of the traits drawn, in SDs of the population; above 1 with weights.

    Raises:
        NormError: if there is no such norm, or it says nothing of this age.
        ImpossiblePopulation: if `count`, `seed` or `spread` is out of range.
    """
    published = published_norm(norm)
    _check(count, seed, spread)
    stretched = spread * _normal_points(count, seed)
    traits = _traits(stretched, published, age)
    people = _people(traits, _weights(stretched, spread), published, seed, _about(age))
    return Population(
        norm=published.name, seed=seed, method=METHOD, age=age, spread=spread, personas=people
    )


def _check(count: int, seed: int, spread: float) -> None:
    if not 1 <= count <= MAX_PEOPLE:
        raise ImpossiblePopulation(f"{count} people; ask for 1 to {MAX_PEOPLE}")
    if not 0 <= seed <= LARGEST_SEED:
        raise ImpossiblePopulation(
            f"the seed is {seed}; it must not be negative, nor above {LARGEST_SEED}"
        )
    if not 1 <= spread <= LARGEST_SPREAD:
        raise ImpossiblePopulation(
            f"the spread is {spread:g}; it must be 1, people as they are, to {LARGEST_SPREAD:g}"
        )


def _normal_points(count: int, seed: int) -> Array:
    """(count, 5) independent standard normal scores, evenly spread; fewer are the first of more."""
    from scipy.stats import qmc  # half a second, which whoever samples nobody need not wait for

    sequence = qmc.Sobol(len(TRAITS), bits=SOBOL_BITS, rng=np.random.default_rng([seed, 0]))
    points = sequence.random_base2(int(count - 1).bit_length())[:count]
    middle_of_cell = 2.0 ** -(SOBOL_BITS + 1)  # a point at 0 would be infinitely far out
    return np.asarray(ndtri(points + middle_of_cell))


def _traits(scores: Array, published: Norm, age: AgeRange | None) -> Array:
    """The copula's z-scores of standard normal ones: correlated, with the means of this age."""
    moments = published.among(age)
    shares = ndtr(scores @ cholesky(published.correlation))
    low, high = (
        ndtr((end - moments.mean) / moments.sd) for end in (-MOST_EXTREME_Z, MOST_EXTREME_Z)
    )
    traits: Array = moments.mean + moments.sd * ndtri(low + shares * (high - low))
    return traits.clip(-MOST_EXTREME_Z, MOST_EXTREME_Z).round(TRAIT_DIGITS)


def _weights(stretched: Array, spread: float) -> Array:
    """How much rarer each point is among people than among those drawn, 1 on average."""
    log_ratio = -0.5 * (1 - spread**-2) * (stretched**2).sum(axis=1)
    ratio = np.exp(log_ratio - log_ratio.max())
    weights: Array = ratio / ratio.mean()
    return weights


def _people(
    traits: Array, weights: Array, published: Norm, seed: int, about: str
) -> tuple[Persona, ...]:
    named = np.random.default_rng([seed, 1]).integers(len(NAMES), size=len(traits)).tolist()
    return tuple(
        Persona(
            id=f"p{number:04}",
            name=NAMES[name],
            traits=Traits(**dict(zip(TRAITS, vector, strict=True))),
            norm=published.name,
            about=about,
            weight=_rounded(weight),
        )
        for number, (name, vector, weight) in enumerate(
            zip(named, traits.tolist(), weights.tolist(), strict=True), start=1
        )
    )


def _about(age: Sequence[int] | None) -> str:
    """As little as can be said: a life made up here would tell a judge more than the traits do."""
    if age is None:
        return "Somebody."
    return f"Somebody between {age[0]} and {age[1]} years old."


def _rounded(weight: float) -> float:
    return float(f"{weight:.{WEIGHT_DIGITS}g}")
