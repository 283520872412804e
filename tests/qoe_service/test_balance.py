"""Small panels: both poles of every trait, the same people every time, weights as meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qoe_service.balance import ranked, ranked_on_norms
from qoe_service.norms import norm
from qoe_service.persona import TRAITS, Persona, Traits
from qoe_service.persona_files import load_personas
from qoe_service.personas import shipped_folder
from qoe_service.population import sample_population

CORRELATION = norm("sapa-bfi25-adults").correlation
SIZES = (4, 8, 12)


def person(number: int, traits: tuple[float, ...], weight: float = 1.0) -> Persona:
    return Persona(
        id=f"p{number}",
        name="Kim",
        traits=Traits(**dict(zip(TRAITS, traits, strict=True))),
        norm="sapa-bfi25-adults",
        about="Somebody.",
        weight=weight,
    )


def traits_of(people) -> np.ndarray:
    return np.array([persona.traits.vector() for persona in people])


def lean(traits: np.ndarray) -> float:
    """How far a panel's mean traits are from zero, averaged over the traits."""
    return float(np.abs(traits.mean(axis=0)).mean())


def spread_error(traits: np.ndarray) -> float:
    return float(np.linalg.norm(traits.T @ traits / len(traits) - CORRELATION))


def by_chance(traits: np.ndarray, size: int, what) -> float:
    rng = np.random.default_rng(0)
    return float(np.mean([what(rng.permutation(traits)[:size]) for _ in range(300)]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(5))
def test_panels_of_a_population_lean_far_less_than_by_chance(size: int, seed: int) -> None:
    people = sample_population("sapa-bfi25-adults", 200, seed=seed).personas
    traits = traits_of(people)
    panel = traits_of(ranked_on_norms(people)[:size])
    # By chance sqrt(2 / (pi n)) for standard normal traits: .40, .28 and .23.
    assert by_chance(traits, size, lean) == pytest.approx(np.sqrt(2 / np.pi / size), rel=0.15)
    assert lean(panel) < by_chance(traits, size, lean) / 3
    assert spread_error(panel) < by_chance(traits, size, spread_error) / 1.3


@pytest.mark.parametrize("size", SIZES)
def test_panels_of_the_shipped_personas_lean_less_than_by_chance(size: int) -> None:
    people = load_personas(shipped_folder())
    panel = traits_of(ranked_on_norms(people)[:size])
    assert lean(panel) < by_chance(traits_of(people), size, lean) / 1.6
    assert np.all(panel.max(axis=0) > 0)
    assert np.all(panel.min(axis=0) < 0)


def test_pairs_of_opposites_are_found() -> None:
    """Nobody balances anybody but his own mirror image, so a block of four is two such pairs."""
    axes = np.eye(5)[:4] * 1.5
    people = [person(i, tuple(x)) for i, x in enumerate(np.vstack([axes, -axes]))]
    first = traits_of(ranked(people, np.zeros(5), np.eye(5), size=8)[:4])
    assert np.allclose(first.sum(axis=0), 0)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(*[st.floats(-4, 4, width=16)] * 5), min_size=1, max_size=30),
    st.lists(st.floats(0.01, 100), min_size=30, max_size=30),
    st.integers(1, 35),
)
def test_a_ranking_is_one_and_its_beginnings_are_shorter_ones(traits, weights, size) -> None:
    people = [
        person(i, x, weight) for i, (x, weight) in enumerate(zip(traits, weights, strict=False))
    ]
    order = ranked(people, np.zeros(5), CORRELATION, size=len(people))
    assert sorted(p.id for p in order) == sorted(p.id for p in people)
    assert ranked(people[::-1], np.zeros(5), CORRELATION, size=size) == order[:size]


def test_a_person_of_little_weight_is_seldom_in_a_panel_though_he_would_balance_it() -> None:
    rng = np.random.default_rng(1)
    chosen = 0
    for trial in range(200):
        rest = [person(i, tuple(x)) for i, x in enumerate(rng.normal(0.5, 1, (12, 5)).clip(-3, 3))]
        light = person(100 + trial, (-1.0,) * 5, weight=0.05)
        chosen += light in ranked_on_norms((*rest, light))[:6]
    # Let in with probability .05 / (usual weight, close to 1): 10 of 200 expected, SD 3.1.
    assert chosen <= 10 + 4 * 3.1


def test_the_more_extreme_people_of_a_widened_population_do_not_crowd_its_panels() -> None:
    population = sample_population("sapa-bfi25-adults", 2000, seed=3, spread=1.5)
    everybody = traits_of(population.personas)
    panel = traits_of(population.panel(64))
    assert np.sqrt((everybody**2).mean()) == pytest.approx(1.5, abs=0.05)
    assert np.sqrt((panel**2).mean()) == pytest.approx(1.0, abs=0.05)
