"""BT.500's screening of observers, on tables made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import screen

NO = np.nan
NORMAL = np.array([1.0, 5, 2, 2, 4, 4, 3, 3, 3, 3, 3, 3, 3])
"""Mean 3, squares 4 + 4 + 1 + 1 + 1 + 1 = 12, variance 12 / 12, so that 2 SD reach 1 and 5 exactly.
Kurtosis 13 (16 + 16 + 4) / 12^2 = 3.25: as a normal distribution's, the limit is 2 SD."""


def test_who_is_far_off_to_both_sides_is_rejected() -> None:
    turned = NORMAL.copy()
    turned[:2] = 5, 1
    found = screen(np.stack([NORMAL, turned] * 10))
    assert found.above.tolist() == [10, 10] + [0] * 11
    assert found.below.tolist() == [10, 10] + [0] * 11
    assert found.rejected.tolist() == [True, True] + [False] * 11
    assert found.reason(0) == (
        "20 of 20 ratings lie far from those of the others, 10 above and 10 below"
    )


def test_who_is_far_off_to_one_side_has_a_bias_and_stays() -> None:
    found = screen(np.stack([NORMAL] * 20))
    assert (found.below[0], found.above[1]) == (20, 20)
    assert not found.rejected.any()
    assert found.constant.all()
    assert found.reason(0) == "gave the same score to all 20 items"


@pytest.mark.parametrize(("far", "rejected"), [(2, False), (3, True)])
def test_five_per_cent_are_forgiven(far: int, rejected: bool) -> None:
    # 40 items: a rater far off in 2 of them is at 5 %, in 4 at 10 %. Elsewhere all are near.
    near = np.array([[3.0, 3, 2, 2, 4, 4, 3, 3, 3, 3, 3, 3, 3]])
    turned = NORMAL.copy()
    turned[:2] = 5, 1
    odd = [NORMAL, turned, NORMAL, turned][: 2 * (far // 2) + far % 2 * 2]
    found = screen(np.vstack([*odd, np.repeat(near, 40 - len(odd), axis=0)]))
    assert found.rejected[0] == rejected


def test_all_there_is_to_say_of_a_rater_is_said() -> None:
    # Always 3, above the others in one half of the items and below them in the other.
    others = 1.3 + np.array([1, 1.4, 1, 1.4, 1.2, 1.2, 1.1, 1.3, 1.0, 1.4, 1.2, 1.2])
    low = np.append(others, 3.0)
    found = screen(np.stack([low, 6 - low] * 10))
    assert found.reason(12) == (
        "gave the same score to all 20 items; 20 of 20 ratings lie far from those of the others, "
        "10 above and 10 below"
    )


def test_a_peaked_item_forgives_more() -> None:
    # Nine say 3, one says 5: kurtosis 8.1, so that the limit is sqrt(20) SD = 2.8 and not 1.3.
    found = screen(np.array([[5.0] + [3.0] * 9] * 20))
    assert not found.above.any()
    # Of 30, sqrt(20) SD are 1.6: the one is far off.
    assert screen(np.array([[5.0] + [3.0] * 29] * 20)).above[0] == 20


def test_an_item_all_agree_on_tells_nothing() -> None:
    found = screen(np.full((5, 8), 4.0))
    assert not found.above.any()
    assert not found.below.any()
    assert found.rated.tolist() == [5] * 8


def test_who_stays_within_what_all_do_has_no_reason() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(2, 4, size=(30, 1)) + rng.uniform(-1, 1, size=(30, 12))
    assert [screen(scores).reason(rater) for rater in range(12)] == [None] * 12


@given(st.integers(0, 10_000))
def test_order_and_the_direction_of_the_scale_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(1, 6, size=(15, 9)).astype(float)
    scores[rng.random(scores.shape) < 0.1] = NO
    rows, columns = rng.permutation(15), rng.permutation(9)
    found, shuffled = screen(scores), screen(scores[rows][:, columns])
    assert shuffled.above.tolist() == found.above[columns].tolist()
    assert shuffled.rejected.tolist() == found.rejected[columns].tolist()
    turned = screen(6 - scores)
    assert turned.above.tolist() == found.below.tolist()
    assert turned.rejected.tolist() == found.rejected.tolist()


@pytest.mark.parametrize("scores", [np.ones((4, 5)), np.full((4, 9), NO), np.ones((0, 9))])
def test_too_few_ratings_to_be_far_from_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(UnusableRatings, match="6 ratings or more"):
        screen(scores)
