"""Shares of good and poor opinions, and the SOS parameter, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import opinion_shares, sos_parameter

NO = np.nan


def test_opinions_are_counted_by_the_nearest_grade() -> None:
    shares = opinion_shares([1.0, 2.4, 2.5, 2.6, 3.4, 3.5, 3.6, 5.0])
    assert shares.good_or_better.point == 3 / 8
    assert shares.poor_or_worse.point == 3 / 8
    assert shares.n == 8
    assert shares.deciles[1] == 3.0


def test_wilsons_interval_of_one_in_ten() -> None:
    # Newcombe 1998 and any table: 1 of 10 gives 0.0179 to 0.4042 at 95 %.
    shares = opinion_shares([5.0] + [3.0] * 9)
    assert shares.good_or_better.low == pytest.approx(0.0179, abs=5e-5)
    assert shares.good_or_better.high == pytest.approx(0.4042, abs=5e-5)
    assert (shares.poor_or_worse.point, shares.poor_or_worse.low) == (0, 0)
    assert shares.poor_or_worse.high > 0.2


@given(arrays(float, st.integers(1, 40), elements=st.floats(1, 5)))
def test_good_and_poor_change_places_when_the_scale_is_turned(scores: np.ndarray) -> None:
    shares, turned = opinion_shares(scores), opinion_shares(6 - scores)
    assert shares.good_or_better.point + shares.poor_or_worse.point <= 1
    assert 0 <= shares.good_or_better.low <= shares.good_or_better.point
    assert shares.good_or_better.point <= shares.good_or_better.high <= 1
    exact = np.abs(np.abs(scores - 3) - 0.5) > 1e-9  # 6 - x may round to the other side of a half
    if exact.all():
        assert turned.poor_or_worse == shares.good_or_better


@pytest.mark.parametrize("scores", [[], [[3.0]], [3.0, NO], [0.9], [5.1]])
def test_what_has_no_shares_is_refused(scores: list[float]) -> None:
    with pytest.raises(UnusableRatings, match="shares of opinions need"):
        opinion_shares(scores)


def test_the_sos_parameter_of_two_items() -> None:
    # (3, 5): mean 4, variance 2, room (4 - 1) (5 - 4) + 2 / 2 = 4. (2, 4): mean 3, variance 2, room
    # 4 + 2 / 2 = 5. Least squares through the origin: (4 * 2 + 5 * 2) / (16 + 25) = 18 / 41.
    found = sos_parameter(np.array([[3.0, 5.0, NO], [NO, 2.0, 4.0], [3.0, NO, NO]]))
    assert found.a.point == pytest.approx(18 / 41)
    assert found.items == 2
    assert found.a.low == 0 < found.a.point < found.a.high


@pytest.mark.parametrize("raters", [2, 4, 20])
def test_the_ends_of_the_sos_parameter(raters: int) -> None:
    agreed = np.repeat([[2.0], [3.0], [4.0]], 6, axis=1)
    assert sos_parameter(agreed).a.point == 0
    # Half say 1, half say 5: variance 4 n / (n - 1), room 4 + 4 / (n - 1), which is the same.
    torn = np.tile([1.0, 5.0], (3, raters // 2))
    a = sos_parameter(torn).a
    assert (a.point, a.high) == (pytest.approx(1), 1)


@pytest.mark.parametrize(("a", "raters"), [(0.05, 24), (0.15, 24), (0.25, 24), (0.25, 6)])
def test_a_known_parameter_is_found_and_covered(a: float, raters: int) -> None:
    rng = np.random.default_rng(4)
    covered, points = [], []
    for _ in range(60):
        mos = rng.uniform(1.5, 4.5, size=(40, 1))
        # A Beta distribution on the scale with variance a (mos - 1) (5 - mos).
        share, size = (mos - 1) / 4, 1 / a - 1
        found = sos_parameter(1 + 4 * rng.beta(share * size, (1 - share) * size, size=(40, raters)))
        points.append(found.a.point)
        covered.append(found.a.low <= a <= found.a.high)
    print(f"\na = {a}: found {np.mean(points):.4f}, covered {np.mean(covered):.2f}")
    assert np.mean(points) == pytest.approx(a, rel=0.03)
    assert np.mean(covered) >= 0.85


@given(arrays(float, (6, 5), elements=st.floats(1, 5, width=16)), st.integers(0, 1000))
def test_the_sos_parameter_forgets_order_and_the_direction_of_the_scale(
    scores: np.ndarray, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    try:
        a = sos_parameter(scores).a.point
    except UnusableRatings:
        return
    shuffled = scores[rng.permutation(6)][:, rng.permutation(5)]
    assert sos_parameter(shuffled).a.point == pytest.approx(a)
    assert sos_parameter(6 - scores).a.point == pytest.approx(a)
    assert 0 <= a <= 1 + 1e-9


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (np.array([[3.0, 4.0]]), "1 has them"),
        (np.array([[3.0], [4.0]]), "0 has them"),
        (np.full((3, 3), NO), "0 has them"),
        (np.array([[1.0, 1.0], [5.0, 5.0]]), "1 or 5"),
        (np.array([[1.0, 1.0 + 1e-15], [5.0, 5.0]]), "1 or 5"),
    ],
)
def test_what_has_no_sos_parameter_is_refused(scores: np.ndarray, told: str) -> None:
    with pytest.raises(UnusableRatings, match=told):
        sos_parameter(scores)
