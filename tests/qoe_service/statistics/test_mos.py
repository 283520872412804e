"""The mean opinion score and the decomposition of variance, against hand-made numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.statistics import mean_opinion_score, variance_shares


def test_a_mean_with_its_student_interval() -> None:
    # s = 1, n = 4: the 97.5 % quantile of t with 3 degrees of freedom is 3.18245 (tables).
    mos = mean_opinion_score([2.0, 3.0, 3.0, 4.0])
    margin = 3.18245 * np.sqrt(2 / 3) / 2
    assert mos.mean == 3.0
    assert mos.n == 4
    assert (mos.low, mos.high) == pytest.approx((3 - margin, 3 + margin), abs=1e-4)


def test_one_opinion_says_nothing_about_the_spread() -> None:
    mos = mean_opinion_score([4.0])
    assert (mos.mean, mos.low, mos.high) == (4.0, 1.0, 5.0)


@pytest.mark.parametrize("scores", [[], [np.nan, 3.0], [[1.0, 2.0]]])
def test_what_has_no_mean_is_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="finite scores"):
        mean_opinion_score(scores)


@given(arrays(float, st.integers(1, 30), elements=st.floats(1, 5)))
def test_the_interval_holds_the_mean_and_stays_on_the_scale(scores: np.ndarray) -> None:
    mos = mean_opinion_score(scores)
    assert 1 <= mos.low <= mos.mean + 1e-9
    assert mos.mean - 1e-9 <= mos.high <= 5


def test_the_shares_of_a_table_made_of_known_parts() -> None:
    # Effects that are orthogonal by construction: variances 4, 1 and 0.25 of the three parts.
    picture = np.array([2.0, -2.0])[:, None]
    persona = np.array([1.0, -1.0])[None, :]
    interaction = np.array([[0.5, -0.5], [-0.5, 0.5]])
    shares = variance_shares(3 + picture + persona + interaction)
    assert shares.picture == pytest.approx(4 / 5.25)
    assert shares.persona == pytest.approx(1 / 5.25)
    assert shares.interaction == pytest.approx(0.25 / 5.25)
    assert shares.of_personas == pytest.approx(1.25 / 5.25)


@given(arrays(float, st.tuples(st.integers(2, 8), st.integers(2, 8)), elements=st.floats(1, 5)))
def test_the_shares_add_up(ratings: np.ndarray) -> None:
    if np.square(ratings - ratings.mean()).mean() < 1e-6:
        return
    shares = variance_shares(ratings)
    assert shares.picture + shares.persona + shares.interaction == pytest.approx(1)


def test_a_table_without_variance_or_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="no variance"):
        variance_shares(np.full((3, 3), 2.0))
    with pytest.raises(ValueError, match="full table"):
        variance_shares(np.array([[1.0, np.nan], [2.0, 3.0]]))
