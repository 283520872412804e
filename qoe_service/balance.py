"""Few people who stand for many: a ranking whose beginnings balance the poles of every trait.

Panels of 4 or 8 people drawn by chance lean to one side: their mean traits scatter by 1 / sqrt(n).
Here people are ranked so that the mean and the covariance of the first 4, 8, 12, ... are as near as
possible to those of the population, and those of the numbers between nearly so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qoe_service.norms import norm
from qoe_service.persona import Persona

Array = NDArray[np.float64]

BLOCK = 4
"""So many are chosen together: enough to hold both poles of several traits."""

COVARIANCE_SHARE = 0.1
"""What a squared error of the covariance counts beside one of the mean. Less than by chance (where
5 squared means add up to 5/n and 25 squared products to about 30/n), for a mean that is off shifts
what a panel thinks, a covariance only how much its people differ."""

EQUAL_DIGITS = 9
"""Distances that agree so far are equal, for the last bits depend on the machine."""


def ranked(
    people: Sequence[Persona], mean: Array, covariance: Array, *, size: int
) -> tuple[Persona, ...]:
    """The first `size` people of a ranking, the same at every call; fewer are the first of more.

    Chance, drawn from what a persona's file says, lets in a person of less than the usual weight as
    seldom as that weight is smaller; balance decides among those who were let in. The others
    follow in the order of weighted draws without replacement (Efraimidis and Spirakis 2006).

    Args:
        people: whom to rank.
        mean: (5,) that the traits' mean is to come near to.
        covariance: (5, 5) that the traits' second moments about that mean are to come near to.
        size: how many are needed.
    """
    waiting = sorted(people, key=_waiting_time)
    weights = np.array([person.weight for person in waiting])
    usual = (weights**2).sum() / weights.sum()
    let_in = [p for p in waiting if 1 - _chance(p) <= p.weight / usual]
    others = [p for p in waiting if 1 - _chance(p) > p.weight / usual]
    traits = np.array([person.traits.vector() for person in let_in]).reshape(-1, len(mean))
    order = _balanced(_moments(traits - mean), _target(covariance), size)
    return tuple([*(let_in[index] for index in order), *others][:size])


@lru_cache(maxsize=8)
def ranked_on_norms(people: tuple[Persona, ...]) -> tuple[Persona, ...]:
    """All of them, balanced around mean 0 and the correlations of the norms they are told on."""
    correlation = np.mean([norm(person.norm).correlation for person in people], axis=0)
    return ranked(people, np.zeros(len(correlation)), correlation, size=len(people))


def _moments(deviations: Array) -> Array:
    """(people, 30) what is averaged: deviations and their products, scaled to count as they do."""
    products = deviations[:, :, None] * deviations[:, None, :]
    flat = products.reshape(len(deviations), -1)
    return np.hstack([deviations, math.sqrt(COVARIANCE_SHARE) * flat])


def _target(covariance: Array) -> Array:
    means = np.zeros(len(covariance))
    return np.concatenate([means, math.sqrt(COVARIANCE_SHARE) * covariance.ravel()])


def _balanced(moments: Array, target: Array, size: int) -> list[int]:
    """Rows in an order whose beginnings have means near to `target`, in blocks of `BLOCK`."""
    search = _Search(moments, target)
    order: list[int] = []
    while len(order) < min(size, len(moments)):
        block = search.block(order)
        while block:
            _, best = min((search.distance([*order, row]), block.index(row)) for row in block)
            order.append(block.pop(best))
    return order


class _Search:
    """Looks for the rows that bring the mean of those chosen nearest to the target."""

    def __init__(self, moments: Array, target: Array) -> None:
        self._moments, self._target = moments, target
        self._lengths = (moments**2).sum(axis=1)

    def block(self, chosen: Sequence[int]) -> list[int]:
        """The next rows: greedily one by one, then exchanged one by one while that helps."""
        free = len(self._moments) - len(chosen)
        block: list[int] = []
        for _ in range(min(BLOCK, free)):
            block.append(self._best([*chosen, *block]))
        distance = self.distance([*chosen, *block])
        improved = True
        while improved:
            improved = False
            for place in range(len(block)):
                others = [*block[:place], *block[place + 1 :]]
                row = self._best([*chosen, *others])
                exchanged = self.distance([*chosen, *others, row])
                if exchanged < distance:
                    block[place], distance, improved = row, exchanged, True
        return block

    def distance(self, rows: Sequence[int]) -> float:
        """Squared, between the mean of these rows and the target."""
        off = self._moments[list(rows)].mean(axis=0) - self._target
        return round(float(off @ off), EQUAL_DIGITS)

    def _best(self, rows: Sequence[int]) -> int:
        """The row that, added to these, brings their mean nearest; of equals the first."""
        count = len(rows) + 1
        off = self._moments[list(rows)].sum(axis=0) / count - self._target
        distances = 2 * (self._moments @ off) / count + self._lengths / count**2
        distances[list(rows)] = np.inf
        return int(distances.round(EQUAL_DIGITS).argmin())


def _waiting_time(persona: Persona) -> float:
    return -math.log(_chance(persona)) / persona.weight


def _chance(persona: Persona) -> float:
    """Between 0 and 1, from the persona's content: whoever changes draws anew."""
    return (int(persona.content_hash[:13], 16) + 0.5) / 16**13
