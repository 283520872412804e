"""Sampled people are as the norm says, the same for everyone, and weighted back if widened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import cholesky, solve_triangular

from qoe_service.errors import PanelTooLarge
from qoe_service.norms import NormError, norm
from qoe_service.population import (
    NAMES,
    ImpossiblePopulation,
    Population,
    sample_population,
)

IPIP, SAPA = "ipip-neo-120", "sapa-bfi25-adults"
MANY = 10_000


def assert_within_sampling_error(population: Population, effective: float, share: float) -> None:
    """Means, SDs and correlations are nearer to the norm than `share` of 4 standard errors.

    Of n independent normal draws: SD / sqrt(n), SD / sqrt(2 n) and (1 - r^2) / sqrt(n).
    """
    published = norm(population.norm)
    expected = published.among(population.age)
    weights = population.weights
    mean = np.average(population.traits, weights=weights, axis=0)
    covariance = np.cov(population.traits.T, aweights=weights)
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    off = np.triu_indices(5, 1)
    bound = share * 4 / np.sqrt(effective)
    assert np.all(np.abs(mean - expected.mean) < bound * expected.sd)
    assert np.all(np.abs(sd - expected.sd) < bound / np.sqrt(2) * expected.sd)
    apart = np.abs(correlation - published.correlation)[off]
    assert np.all(apart < bound * (1 - published.correlation[off] ** 2))


@pytest.mark.parametrize(
    ("name", "age"), [(SAPA, None), (IPIP, None), (IPIP, (21, 40)), (IPIP, (18, 65))]
)
@pytest.mark.parametrize("seed", [7, 8])
def test_ten_thousand_people_are_as_the_norm_says(name, age, seed) -> None:
    # Sobol points are evenly spread: a fifth of what independent draws may be off is enough.
    assert_within_sampling_error(sample_population(name, MANY, seed=seed, age=age), MANY, 0.2)


@pytest.mark.parametrize("spread", [1.25, 1.5, 2.0])
def test_a_widened_population_is_the_norms_once_it_is_weighted(spread: float) -> None:
    population = sample_population(IPIP, MANY, seed=7, age=(21, 40), spread=spread)
    # q has spread times the SD: E_q[w^2] = (spread^2 / sqrt(2 spread^2 - 1))^5.
    expected_size = MANY / (spread**2 / np.sqrt(2 * spread**2 - 1)) ** 5
    assert population.effective_size == pytest.approx(expected_size, rel=0.05)
    assert_within_sampling_error(population, population.effective_size, 1.0)
    unweighted = population.traits.std(axis=0)
    assert np.all(unweighted > norm(IPIP).among((21, 40)).sd * (1 + 0.8 * (spread - 1)))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([SAPA, IPIP]), st.integers(1, 300), st.integers(0, 2**32), st.floats(1.0, 3.0)
)
def test_every_population_is_one_of_people(name, count, seed, spread) -> None:
    population = sample_population(name, count, seed=seed, spread=spread)
    assert len(population.personas) == count
    assert len({persona.id for persona in population.personas}) == count
    assert np.all(np.abs(population.traits) <= 4)
    assert population.weights.mean() == pytest.approx(1, rel=1e-4)
    assert 1 - 1e-6 <= population.effective_size <= count + 1e-6
    assert {persona.norm for persona in population.personas} == {name}


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 1000))
def test_fewer_people_are_the_first_of_more(few, more, seed) -> None:
    few, more = sorted((few, more))
    small, large = (sample_population(SAPA, n, seed=seed).personas for n in (few, more))
    assert small == large[:few]


def test_people_as_they_are_all_weigh_the_same() -> None:
    population = sample_population(SAPA, 100, seed=1)
    assert set(population.weights) == {1.0}
    assert population.effective_size == pytest.approx(100)


def test_another_seed_draws_other_people() -> None:
    first, second = (sample_population(SAPA, 50, seed=seed).traits for seed in (1, 2))
    assert not np.any(np.all(first == second, axis=1))


def test_people_cover_the_space_of_traits_evenly() -> None:
    # A Sobol net of 2^10 points has as many in each of the 32 orthants of five dimensions; by
    # chance their number would have an SD of 5.6. Rounding moves a few over a border.
    traits = sample_population(SAPA, 1024, seed=3).traits
    scores = solve_triangular(cholesky(norm(SAPA).correlation), traits.T, trans="T").T
    counts = np.bincount((scores > 0) @ (2 ** np.arange(5)), minlength=32)
    assert np.all(np.abs(counts - 32) <= 2)


def test_a_persona_tells_nothing_but_its_traits() -> None:
    population = sample_population(IPIP, 500, seed=5, age=(21, 40))
    told = {(p.about, p.experience, p.viewing, p.patience_s, p.weight) for p in population.personas}
    assert len(told) == 1
    assert population.personas[0].about == "Somebody between 21 and 40 years old."


def test_names_do_not_go_with_traits() -> None:
    population = sample_population(SAPA, MANY, seed=2)
    names = np.array([persona.name for persona in population.personas])
    assert set(names) == set(NAMES)
    for name in NAMES:
        theirs = population.traits[names == name]
        # Standard errors of a mean of so many; 130 means, so 4.5 of them are hardly ever reached.
        assert np.all(np.abs(theirs.mean(axis=0)) < 4.5 / np.sqrt(len(theirs)))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"count": 0}, "0 people; ask for 1 to"),
        ({"count": 10**9}, "1000000000 people"),
        ({"seed": -1}, "must not be negative"),
        ({"seed": 2**63}, "nor above 9223372036854775807"),
        ({"spread": 0.9}, "the spread is 0.9; it must be 1"),
        ({"spread": 3.5}, "the spread is 3.5"),
        ({"spread": float("nan")}, "the spread is nan"),
    ],
)
def test_what_cannot_be_drawn_is_told(changed: dict[str, float], told: str) -> None:
    asked = {"norm": SAPA, "count": 5, "seed": 0} | changed
    with pytest.raises(ImpossiblePopulation, match=told):
        sample_population(**asked)


@pytest.mark.parametrize(("name", "age"), [("mars", None), (SAPA, (21, 40)), (IPIP, (5, 40))])
def test_norms_and_ages_that_are_not_there_are_told(name, age) -> None:
    with pytest.raises(NormError):
        sample_population(name, 5, seed=0, age=age)


def test_a_panel_is_no_larger_than_what_its_population_is_worth() -> None:
    population = sample_population(SAPA, 400, seed=4, spread=1.5)
    most = population.largest_panel
    assert 100 < most < population.effective_size < 170
    panel = np.array([persona.traits.vector() for persona in population.panel(most)])
    assert np.abs(panel.mean(axis=0)).max() < 0.1
    assert panel.std() == pytest.approx(1, abs=0.1)
    with pytest.raises(PanelTooLarge, match=f"gives {most} at most"):
        population.panel(most + 1)
    with pytest.raises(PanelTooLarge, match="a panel of 400 was asked for"):
        population.panel(None)


def test_people_of_nearly_equal_weight_may_nearly_all_look() -> None:
    drawn = sample_population(SAPA, 12, seed=4)
    heavier = drawn.personas[0].model_copy(update={"weight": 2.0})
    population = drawn.model_copy(update={"personas": (heavier, *drawn.personas[1:])})
    assert population.largest_panel in {10, 11}


def test_a_whole_population_may_look_if_it_is_small() -> None:
    population = sample_population(SAPA, 256, seed=4)
    assert population.panel(None) == population.personas
    with pytest.raises(PanelTooLarge, match="gives 256 at most"):
        sample_population(SAPA, 257, seed=4).panel(None)


def test_panels_of_a_population_are_nested_and_repeat() -> None:
    population = sample_population(IPIP, 300, seed=9, age=(21, 40))
    small, large = population.panel(4), population.panel(8)
    assert {p.id for p in small} < {p.id for p in large}
    again = sample_population(IPIP, 300, seed=9, age=(21, 40))
    assert again.panel(8) == large
    # Around the means of their age, and not around 0: people of 21-40 are less conscientious.
    many = np.array([p.traits.vector() for p in population.panel(64)])
    assert np.abs(many.mean(axis=0) - population.traits.mean(axis=0)).max() < 0.05
