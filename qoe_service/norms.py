"""Published norms: how the Big Five are distributed among people, read from `norms.yaml`.

A norm gives the means and SDs of a questionnaire's scores in groups of people, and how the traits
correlate. A z-score is counted from the norm's reference: all of its groups, each as large as the
others, for the sources do not say how many people of each there are.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, model_validator

from qoe_service.errors import QoEError
from qoe_service.wire import Wire

Array = NDArray[np.float64]

NormName = Literal["sapa-bfi25-adults", "ipip-neo-120"]

AgeRange = tuple[int, int]
"""The first and the last year of age, both included."""

Five = tuple[float, float, float, float, float]

SMALLEST_EIGENVALUE = 1e-6
"""Below it, a matrix of correlations counts as singular."""


class NormError(QoEError):
    """There is no such norm, or it says nothing of these people."""


@dataclass(frozen=True)
class Moments:
    """Mean and SD of the five traits, (5,) each."""

    mean: Array
    sd: Array


class Group(Wire):
    """The scores of one group of people."""

    sex: Literal["male", "female"] | None = None
    ages: tuple[int, int | None]
    mean: Five
    sd: Five

    def years_within(self, age: AgeRange) -> int:
        """How many of the years of an age range are this group's."""
        first, last = self.ages
        end = age[1] if last is None else min(age[1], last)
        return max(0, end - max(age[0], first) + 1)


class Norm(Wire):
    """A population of trait vectors, on the scale of its questionnaire and as z-scores."""

    name: NormName
    instrument: str
    source: str
    grade: Literal["P", "C"]
    scale: tuple[float, float]
    groups: tuple[Group, ...] = Field(min_length=1)
    correlations: tuple[Five, Five, Five, Five, Five]
    correlations_of: str
    """The norm whose people the correlations were measured in; its own if there are any."""

    @model_validator(mode="after")
    def _correlations_can_hold(self) -> Self:
        check_correlation(self.correlation)
        return self

    @cached_property
    def correlation(self) -> Array:
        """(5, 5), read-only."""
        matrix = np.array(self.correlations)
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def reference(self) -> Moments:
        """Where z-scores are counted from, on the scale of the questionnaire."""
        return _mixture(self.groups, np.ones(len(self.groups)))

    @property
    def by_age(self) -> bool:
        """Whether it tells people of different ages apart."""
        return len({group.ages for group in self.groups}) > 1

    def among(self, age: AgeRange | None = None) -> Moments:
        """The z-scores of people of an age, each of its years and both sexes equally frequent.

        Raises:
            NormError: if the norm gives no figures by age, or none for these years.
        """
        reference = found = self.reference
        if age is not None:
            self._check_covers(age)
            years = np.array([group.years_within(age) for group in self.groups], dtype=float)
            found = _mixture(self.groups, years)
        return Moments((found.mean - reference.mean) / reference.sd, found.sd / reference.sd)

    def _check_covers(self, age: AgeRange) -> None:
        first, last = age
        if not self.by_age:
            those = ", ".join(each.name for each in norms().values() if each.by_age)
            raise NormError(
                f"{self.name} gives no figures by age; leave the age out, or take {those}"
            )
        spans = {group.ages for group in self.groups}
        youngest, oldest = min(first for first, _ in spans), max(last or 0 for _, last in spans)
        if not youngest <= first <= last <= oldest:
            raise NormError(
                f"ages {first}-{last}: {self.name} covers {youngest} to {oldest}; ask within "
                "them, the younger first"
            )


@cache
def norms() -> Mapping[str, Norm]:
    """Every norm by its name."""
    table = yaml.safe_load((files("qoe_service") / "norms.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _norm(name, table) for name in table})


def norm(name: str) -> Norm:
    """A norm by its name.

    Raises:
        NormError: if there is none of this name.
    """
    known = norms()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise NormError(f"no norm {name!r}; {hint}")
    return known[name]


def check_correlation(matrix: Array) -> None:
    """Make sure that five traits can be correlated in this way.

    Raises:
        ValueError: if the matrix is not one of correlations, or not positive definite; it says how
            far the nearest one is that could be.
    """
    if not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1):
        raise ValueError("correlations must be symmetric, with 1 on the diagonal")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < SMALLEST_EIGENVALUE:
        off = np.abs(matrix - nearest_correlation(matrix))
        row, column = sorted(divmod(int(off.argmax()), len(matrix)))
        raise ValueError(
            f"these correlations cannot all hold: the smallest eigenvalue is {smallest:.3f}, it "
            f"must be positive; the nearest that could differ by up to {off.max():.3f}, in row "
            f"{row + 1}, column {column + 1}"
        )


def nearest_correlation(matrix: Array, *, rounds: int = 200) -> Array:
    """The matrix of correlations nearest to a symmetric one (Higham 2002, alternating projections).

    It may be singular: the nearest lies on the border of those that are possible.
    """
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(rounds):
        values, vectors = np.linalg.eigh(found - correction)
        possible = (vectors * np.maximum(values, 0)) @ vectors.T
        correction = possible - (found - correction)
        found = possible.copy()
        np.fill_diagonal(found, 1)
    return found


def _norm(name: str, table: Mapping[str, Mapping[str, Any]]) -> Norm:
    told = dict(table[name])
    owner = told.pop("correlation_of", name)
    correlation = table[owner]["correlation"]
    told.pop("correlation", None)
    told |= {"name": name, "correlations": correlation, "correlations_of": owner}
    return Norm.model_validate(told)


def _mixture(groups: Sequence[Group], shares: Array) -> Moments:
    """Mean and SD of all people of these groups together: SDs within groups, and means between."""
    shares = (shares / shares.sum())[:, None]
    means, sds = (np.array([getattr(g, what) for g in groups]) for what in ("mean", "sd"))
    mean = (shares * means).sum(axis=0)
    return Moments(mean, np.sqrt((shares * (sds**2 + (means - mean) ** 2)).sum(axis=0)))
