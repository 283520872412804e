"""Variance components and their intervals, against hand-made tables and drawn ones."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import VarianceShares, effect_budget, variance_shares

VARIANCES = (0.8, 0.06, 0.04)
NOISE = 0.1
NO = np.nan


def drawn(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    variances: tuple[float, float, float] = VARIANCES,
) -> np.ndarray:
    """Ratings with these variances of picture, persona and interaction; noise with sessions."""
    picture, persona, both = np.sqrt(variances)
    table = 3 + picture * rng.normal(size=(shape[0], 1)) + persona * rng.normal(size=(1, shape[1]))
    table = table + both * rng.normal(size=shape[:2])
    return table if len(shape) == 2 else table[..., None] + np.sqrt(NOISE) * rng.normal(size=shape)


def with_gaps(rng: np.random.Generator, table: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.random(table.shape) < share, np.nan, table)


def test_the_shares_of_a_table_made_of_known_parts() -> None:
    # Row effects +-2, column effects +-1, interaction +-0.5, one degree of freedom each.
    # Mean squares of two rows and two columns: rows 2 * (4 + 4) / 1 = 16, columns 2 * 2 = 4,
    # interaction 4 * 0.25 = 1. Components: (16 - 1) / 2 = 7.5, (4 - 1) / 2 = 1.5, and 1: 10 in all.
    picture = np.array([2.0, -2.0])[:, None]
    persona = np.array([1.0, -1.0])[None, :]
    interaction = np.array([[0.5, -0.5], [-0.5, 0.5]])
    shares = variance_shares(3 + picture + persona + interaction)
    assert shares.picture == pytest.approx(0.75)
    assert shares.persona == pytest.approx(0.15)
    assert shares.interaction == pytest.approx(0.1)
    assert shares.of_personas == pytest.approx(0.25)
    assert shares.residual == 0


def test_what_is_said_twice_tells_inconsistency_from_interaction() -> None:
    # The same table, every rating once 0.6 above and once 0.6 below: 2 * 0.36 / 1 within cells.
    # The means of cells hold half of that: 1 - 0.36 is left to the interaction.
    table = 3 + np.array([[3.5, 0.5], [-1.5, -2.5]])
    twice = np.stack([table + 0.6, table - 0.6], axis=-1)
    shares = variance_shares(twice)
    total = 7.5 + 1.5 + 0.64 + 0.72
    assert (shares.picture, shares.persona) == pytest.approx((7.5 / total, 1.5 / total))
    assert (shares.interaction, shares.residual) == pytest.approx((0.64 / total, 0.72 / total))


@pytest.mark.parametrize(
    ("shape", "gaps"), [((60, 24), 0.0), ((60, 24), 0.3), ((60, 24, 2), 0.3), ((40, 50), 0.3)]
)
def test_shares_are_right_on_average_with_gaps_and_without(
    shape: tuple[int, ...], gaps: float
) -> None:
    rng = np.random.default_rng(1)
    found = np.array(
        [
            [shares.picture, shares.persona, shares.interaction, shares.residual]
            for shares in (
                variance_shares(with_gaps(rng, drawn(rng, shape), gaps)) for _ in range(60)
            )
        ]
    )
    truth = np.array([*VARIANCES, NOISE if len(shape) == 3 else 0.0])
    truth = truth / truth.sum()
    print(f"\n{shape}, gaps {gaps}: {found.mean(axis=0).round(4)}, truth {truth.round(4)}")
    assert found.mean(axis=0) == pytest.approx(truth, abs=0.015)


def test_the_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(2)
    truth = VARIANCES[1] + VARIANCES[2]
    intervals = [effect_budget(drawn(rng, (40, 20)), rng).of_personas for _ in range(20)]
    covered = np.mean([one.low <= truth / sum(VARIANCES) <= one.high for one in intervals])
    print(f"\nshare of personas covered in {covered:.2f} of 20 tables")
    assert covered >= 0.8  # at 95 %, fewer than 16 of 20 come once in four hundred times


def test_a_budget_counts_and_leaves_open_what_nothing_tells() -> None:
    rng = np.random.default_rng(3)
    table = with_gaps(rng, drawn(rng, (20, 12)), 0.1)
    budget = effect_budget(table, rng)
    assert (budget.pictures, budget.personas) == (20, 12)
    assert budget.ratings == np.isfinite(table).sum()
    assert budget.residual is None
    assert budget.picture.point + budget.of_personas.point == pytest.approx(1)
    assert budget.persona.low <= budget.persona.point <= budget.persona.high
    assert effect_budget(drawn(rng, (20, 12, 2)), rng).residual is not None


tables = arrays(float, st.tuples(st.integers(2, 8), st.integers(2, 8)), elements=st.floats(1, 5))


def as_tuple(shares: VarianceShares) -> tuple[float, ...]:
    return shares.picture, shares.persona, shares.interaction, shares.residual


@given(tables, st.randoms(use_true_random=False), st.floats(-1, 1), st.floats(0.2, 1))
def test_shares_add_up_and_forget_order_shift_and_scale(
    ratings: np.ndarray, shuffler: random.Random, shift: float, scale: float
) -> None:
    try:
        shares = variance_shares(ratings)
    except UnusableRatings:
        return
    assert sum(as_tuple(shares)) == pytest.approx(1)
    assert min(as_tuple(shares)) >= 0
    if np.square(ratings - ratings.mean()).mean() < 1e-3:
        return
    rows = shuffler.sample(range(len(ratings)), len(ratings))
    columns = shuffler.sample(range(ratings.shape[1]), ratings.shape[1])
    changed = shift + scale * ratings[np.ix_(rows, columns)]
    assert as_tuple(variance_shares(changed)) == pytest.approx(as_tuple(shares), abs=1e-6)


@given(tables)
def test_gaps_are_left_out_alike_whatever_was_there(ratings: np.ndarray) -> None:
    gaps = ratings.copy()
    gaps[0, 0] = np.nan
    wide = np.hstack([gaps, gaps[:, ::-1], np.roll(gaps, 1, axis=0)])
    try:
        shares = variance_shares(wide)
    except UnusableRatings:
        return
    assert sum(as_tuple(shares)) == pytest.approx(1)
    # The table on its side takes the other way through the normal equations.
    turned = variance_shares(wide.T)
    assert (turned.persona, turned.picture) == pytest.approx((shares.picture, shares.persona))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (np.full((3, 3), 2.0), "no variance"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), "too few to tell"),
        (np.array([[1.0, 2.0, 4.0]]), "too few to tell"),
        (np.array([[1.0], [2.0]]), "too few to tell"),
        (np.full((3, 3), np.nan), "no ratings"),
        (np.array([[1.0, 2.0], [np.nan, np.nan]]), "item number 2 has no rating"),
        (np.array([[1.0, np.nan], [2.0, np.nan]]), "rater number 2 has no rating"),
        (np.array([[1, 2, NO, NO], [2, 1, NO, NO], [NO, NO, 3, 4], [NO, NO, 4, 3]]), "2 groups"),
    ],
)
def test_tables_that_tell_no_shares_are_refused(table: np.ndarray, told: str) -> None:
    with pytest.raises(UnusableRatings, match=told):
        variance_shares(table)


@pytest.mark.parametrize("shape", [(4, 12), (12, 4)])
def test_a_table_too_thin_to_be_drawn_from_has_no_interval(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UnusableRatings, match="no interval"):
        effect_budget(drawn(rng, shape), rng)
