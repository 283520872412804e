"""The mean opinion score and its two intervals, against hand-made numbers and known coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import bounded_opinion_score, mean_opinion_score


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


def test_the_bounded_interval_of_a_case_with_a_known_beta_quantile() -> None:
    # All five say 5: 20 successes of 20 trials, lower limit 0.025 ** (1 / 20) of the way up.
    mos = bounded_opinion_score([5.0] * 5)
    assert (mos.mean, mos.high) == (5.0, 5.0)
    assert mos.low == pytest.approx(1 + 4 * 0.025 ** (1 / 20))
    lowest = bounded_opinion_score([1.0] * 5)
    assert (lowest.low, lowest.high) == pytest.approx((1.0, 6 - mos.low))


def test_a_panel_known_to_spread_less_has_a_narrower_interval() -> None:
    scores = [4.0, 4.0, 3.0, 4.0]
    assert bounded_opinion_score(scores, sos=0.1).low > bounded_opinion_score(scores).low


@pytest.mark.parametrize(
    ("mean", "sd", "n", "sos"),
    [(3.0, 0.7, 5, 0.25), (1.2, 0.5, 5, 0.25), (4.6, 0.6, 10, 0.25), (3.0, 1.2, 16, 0.35)],
)
def test_the_bounded_interval_covers_the_truth_where_students_may_not(
    mean: float, sd: float, n: int, sos: float
) -> None:
    rng = np.random.default_rng(5)
    people = np.clip(np.round(rng.normal(mean, sd, 100_000)), 1, 5)
    truth = people.mean()
    panels = rng.choice(people, size=(400, n))
    bounded = [bounded_opinion_score(panel, sos) for panel in panels]
    student = [mean_opinion_score(panel) for panel in panels]
    covered, by_student = (
        np.mean([one.low <= truth <= one.high for one in intervals])
        for intervals in (bounded, student)
    )
    print(f"\nMOS {truth:.2f}, n = {n}: bounded covers {covered:.3f}, Student's t {by_student:.3f}")
    assert covered >= 0.95


@pytest.mark.parametrize(
    ("scores", "sos", "told"),
    [([0.5, 3.0], 0.25, "from 1 to 5"), ([3.0], 0.0, "SOS parameter"), ([], 0.25, "finite scores")],
)
def test_what_has_no_bounded_interval_is_refused(
    scores: list[float], sos: float, told: str
) -> None:
    with pytest.raises(UnusableRatings, match=told):
        bounded_opinion_score(scores, sos)


@given(arrays(float, st.integers(1, 30), elements=st.floats(1, 5)))
def test_the_bounded_interval_needs_no_cutting_off(scores: np.ndarray) -> None:
    mos = bounded_opinion_score(scores)
    assert 1 <= mos.low <= mos.mean + 1e-9
    assert mos.mean - 1e-9 <= mos.high <= 5
    assert mos.low < mos.high
