"""Sampling a population, its file, and its panels: `python -m benchmarks.population`.

10,000 people of 21 to 40 years, seed 7. Told are the median of five times for each step, how far
the sample is from its norm in standard errors of independent draws, and how far the mean traits of
small panels are from the population's beside panels drawn by chance.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qoe_service.norms import norm
from qoe_service.population import Population, sample_population
from qoe_service.population_files import parse_population, population_json, population_yaml

PEOPLE, NORM, AGE, SEED = 10_000, "ipip-neo-120", (21, 40), 7
SIZES = (4, 8, 12, 32)
REPEATS = 5

Array = NDArray[np.float64]


def main() -> None:
    """Print the figures."""
    population = sampled()
    as_yaml, as_json = population_yaml(population), population_json(population)
    print(f"{PEOPLE} people on {NORM}, age {AGE[0]}-{AGE[1]}, seed {SEED}; median of {REPEATS}")
    steps: dict[str, Callable[[], object]] = {
        "sample": sampled,
        "write YAML": lambda: population_yaml(population),
        "read YAML": lambda: parse_population(as_yaml, source="YAML"),
        "write JSON": lambda: population_json(population),
        "read JSON": lambda: parse_population(as_json, source="JSON"),
        "sample and rank": lambda: sampled().panel(12),
    }
    for name, step in steps.items():
        print(f"  {name:16} {seconds(step):6.3f} s")
    print("largest distance from the norm, in standard errors of independent draws")
    for name, errors in distances(population).items():
        print(f"  {name:16} {errors.max():6.3f}")
    print("mean |mean trait - population's|: balanced panel, and the mean of 1000 drawn by chance")
    for size in SIZES:
        balanced = np.array([person.traits.vector() for person in population.panel(size)])
        print(
            f"  n = {size:<12} {lean(balanced, population):6.3f} {by_chance(population, size):6.3f}"
        )


def sampled() -> Population:
    """The people of this benchmark."""
    return sample_population(NORM, PEOPLE, seed=SEED, age=AGE)


def seconds(step: Callable[[], object]) -> float:
    """Median time of a step."""
    times = []
    for _ in range(REPEATS):
        began_s = time.perf_counter()
        step()
        times.append(time.perf_counter() - began_s)
    return statistics.median(times)


def distances(population: Population) -> dict[str, Array]:
    """Of means, SDs and correlations from the norm, in standard errors."""
    expected, correlation = norm(NORM).among(AGE), norm(NORM).correlation
    traits, root = population.traits, np.sqrt(PEOPLE)
    pairs = np.triu_indices(len(correlation), 1)
    found = np.corrcoef(traits.T)
    return {
        "means": np.abs(traits.mean(axis=0) - expected.mean) / expected.sd * root,
        "SDs": np.abs(traits.std(axis=0, ddof=1) / expected.sd - 1) * root * np.sqrt(2),
        "correlations": (np.abs(found - correlation) / (1 - correlation**2 + 1e-12) * root)[pairs],
    }


def lean(traits: Array, population: Population) -> float:
    """How far a panel's mean traits are from the population's, averaged over the traits."""
    return float(np.abs(traits.mean(axis=0) - population.traits.mean(axis=0)).mean())


def by_chance(population: Population, size: int) -> float:
    """The same for panels drawn by chance."""
    rng = np.random.default_rng(0)
    draws = (rng.choice(population.traits, size, replace=False) for _ in range(1000))
    return float(np.mean([lean(drawn, population) for drawn in draws]))


if __name__ == "__main__":
    main()
