"""Published norms: what is stored, how groups of people are mixed, and which correlations hold."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.norms import (
    NormError,
    NormName,
    check_correlation,
    nearest_correlation,
    norm,
    norms,
)

IPIP, SAPA = "ipip-neo-120", "sapa-bfi25-adults"


def test_a_persona_may_be_on_every_norm_of_the_file_and_on_no_other() -> None:
    assert set(get_args(NormName)) == set(norms())


@pytest.mark.parametrize("name", [IPIP, SAPA])
def test_the_figures_lie_on_the_scale_of_the_questionnaire(name: str) -> None:
    published = norm(name)
    low, high = published.scale
    for group in published.groups:
        assert all(low < mean < high for mean in group.mean)
        assert all(0 < sd < (high - low) / 2 for sd in group.sd)


def test_people_of_a_norm_with_one_group_are_that_group() -> None:
    assert norm(SAPA).reference.mean == pytest.approx([4.60, 4.30, 4.16, 4.69, 3.14])
    assert norm(SAPA).reference.sd == pytest.approx([0.81, 0.95, 1.06, 0.88, 1.20])


def test_people_of_an_age_are_both_sexes_against_everybody() -> None:
    # Neuroticism: 66.97 (16.48) men and 72.14 (16.16) women of 21-40. All eight means are 66.71875
    # on average, and the variance is 250.72 within and 20.26 between them: SD 16.461.
    young = norm(IPIP).among((21, 40))
    assert young.mean[4] == pytest.approx(((66.97 + 72.14) / 2 - 66.71875) / 16.461, abs=1e-4)
    within, between = (16.48**2 + 16.16**2) / 2, ((72.14 - 66.97) / 2) ** 2
    assert young.sd[4] == pytest.approx(np.sqrt(within + between) / 16.461, abs=1e-4)


def test_an_age_between_groups_takes_from_both_by_its_years() -> None:
    published = norm(IPIP)
    younger, older = published.among((21, 40)).mean, published.among((41, 60)).mean
    # 31 to 45: ten of its years belong to the younger group and five to the older one.
    assert published.among((31, 45)).mean == pytest.approx(younger * 2 / 3 + older / 3)


@pytest.mark.parametrize("name", [IPIP, SAPA])
def test_everybody_is_the_reference(name: str) -> None:
    everybody = norm(name).among()
    assert everybody.mean == pytest.approx(np.zeros(5))
    assert everybody.sd == pytest.approx(np.ones(5))


@pytest.mark.parametrize(
    ("name", "age", "told"),
    [
        (SAPA, (21, 40), "no figures by age; leave the age out, or take ipip-neo-120"),
        (IPIP, (9, 40), "covers 10 to 110"),
        (IPIP, (21, 111), "covers 10 to 110"),
        (IPIP, (40, 21), "the younger first"),
    ],
)
def test_an_age_without_figures_is_refused(name: str, age: tuple[int, int], told: str) -> None:
    with pytest.raises(NormError, match=told):
        norm(name).among(age)


def test_an_unknown_norm_is_told_with_the_nearest() -> None:
    with pytest.raises(NormError, match="did you mean 'ipip-neo-120'"):
        norm("ipip-neo-300")
    with pytest.raises(NormError, match=f"there are {SAPA}, {IPIP}"):
        norm("mars")


def test_the_borrowed_correlations_say_whose_they_are() -> None:
    assert norm(IPIP).correlations_of == SAPA
    assert norm(SAPA).correlations_of == SAPA
    assert np.array_equal(norm(IPIP).correlation, norm(SAPA).correlation)


def with_entry(row: int, column: int, value: float) -> np.ndarray:
    matrix = np.eye(5)
    matrix[row, column] = matrix[column, row] = value
    return matrix


def test_correlations_that_contradict_each_other_are_told_with_how_far_they_are_off() -> None:
    # Two traits that go with a third one, and against each other: eigenvalue 1 - 2 * 0.9 = -0.8.
    matrix = with_entry(0, 1, 0.9) + with_entry(1, 2, 0.9) + with_entry(0, 2, -0.9) - 2 * np.eye(5)
    with pytest.raises(ValueError, match=r"smallest eigenvalue is -0.800.*differ by up to 0.4"):
        check_correlation(matrix)


@pytest.mark.parametrize("matrix", [np.eye(5) * 2, np.eye(5) + np.eye(5, k=1) / 2])
def test_what_is_no_matrix_of_correlations_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="symmetric, with 1 on the diagonal"):
        check_correlation(matrix)


@given(arrays(float, (5, 5), elements=st.floats(-1, 1)))
def test_the_nearest_is_a_matrix_of_correlations_and_no_farther_than_a_known_one(noise) -> None:
    asked = (noise + noise.T) / 2
    np.fill_diagonal(asked, 1)
    found = nearest_correlation(asked)
    assert np.allclose(np.diag(found), 1)
    assert np.linalg.eigvalsh(found)[0] > -1e-6
    for known in (np.eye(5), norm(SAPA).correlation):
        assert np.linalg.norm(found - asked) <= np.linalg.norm(known - asked) + 1e-6


def test_the_nearest_to_possible_correlations_are_they_themselves() -> None:
    assert nearest_correlation(norm(SAPA).correlation) == pytest.approx(norm(SAPA).correlation)


def test_the_nearest_to_an_impossible_correlation_of_two() -> None:
    # Of two traits alone: 1.5 is out of reach, and 1 the nearest to it.
    assert nearest_correlation(with_entry(0, 1, 1.5)) == pytest.approx(
        with_entry(0, 1, 1.0), abs=1e-6
    )
