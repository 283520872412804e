"""The scale: bounded, monotone, and most undecided in its middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.judges.scale import RANGE, liking, score, standard_error, worth

DEGREES = st.floats(0, 1)


@given(DEGREES, DEGREES, DEGREES)
def test_worth_rises_with_both_and_neither_excuses_the_other(a: float, b: float, q: float) -> None:
    low, high = sorted((a, b))
    assert worth(low, q) <= worth(high, q)
    assert worth(q, low) <= worth(q, high)
    assert worth(1.0, 0.0) < 0.5 > worth(0.0, 1.0)


@given(st.floats(-30, 30))
def test_scores_stay_on_the_scale(value: float) -> None:
    assert 1 <= float(score(value)) <= 5


@given(st.floats(0.01, 0.99))
def test_liking_and_score_are_inverse(fraction: float) -> None:
    assert float(score(liking(fraction))) == pytest.approx(1 + RANGE * fraction)


def test_opinions_differ_most_in_the_middle() -> None:
    errors = standard_error(np.array([-3.0, 0.0, 3.0]), sd=0.5)
    assert errors[1] == pytest.approx(0.5)  # 4 * 1/4 * sd
    assert errors[0] == pytest.approx(errors[2])
    assert errors[0] < 0.15
