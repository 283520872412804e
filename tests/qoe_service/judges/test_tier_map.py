"""A lower tier told on the primary judge's scale: order kept, error honest, no pretending."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.judges.tier_map import LEAST_PAIRS, NotComparable, fit_tier_map


def opinions(seed: int, count: int = 400, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A lower tier that squeezes the scale, and the primary judge with noise of its own."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1.2, 4.8, count)
    return 2.5 + 0.25 * (truth - 3), truth + rng.normal(0, noise, count)


def fitted(lower: np.ndarray, primary: np.ndarray):
    return fit_tier_map(lower, primary, lower="clip", primary="vlm")


@given(st.integers(0, 2**32 - 1))
def test_the_map_keeps_the_order_and_stays_on_the_scale_it_was_shown(seed: int) -> None:
    lower, primary = opinions(seed, count=80)
    found = fitted(lower, primary)
    assert np.all(np.diff(found.knots) > 0)
    assert np.all(np.diff(found.values) > 0)
    mapped = found.scores(np.linspace(1, 5, 50))
    assert np.all(np.diff(mapped) >= 0)
    assert primary.min() <= mapped.min()
    assert mapped.max() <= primary.max()


def test_the_level_of_rewards_does_not_jump() -> None:
    lower, primary = opinions(0)
    unseen, wanted = opinions(1)
    found = fitted(lower, primary)
    assert abs(unseen.mean() - wanted.mean()) > 0.4
    assert found.scores(unseen).mean() == pytest.approx(wanted.mean(), abs=0.06)


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6])
def test_the_residual_is_the_error_on_opinions_it_never_saw(noise: float) -> None:
    found = fitted(*opinions(0, noise=noise))
    unseen, wanted = opinions(1, count=4000, noise=noise)
    error = float(np.sqrt(np.mean((found.scores(unseen) - wanted) ** 2)))
    assert found.residual_sd == pytest.approx(error, rel=0.15)
    assert np.all(found.errors(unseen, np.zeros(len(unseen))) == found.residual_sd)


def test_a_stretched_scale_stretches_the_error() -> None:
    lower, primary = opinions(0, noise=0.01)
    found = fitted(lower, primary)
    error = found.errors(np.array([2.5]), np.array([0.1]))[0]
    assert error == pytest.approx(0.4, rel=0.5)  # the primary scale is four times as wide


def test_it_refuses_to_pretend() -> None:
    lower, primary = opinions(0)
    with pytest.raises(NotComparable, match=f"59 opinions in common; at least {LEAST_PAIRS}"):
        fitted(lower[:59], primary[:59])
    with pytest.raises(NotComparable, match="same score"):
        fitted(np.full(400, 3.0), primary)
    with pytest.raises(NotComparable, match="does not follow"):
        fitted(lower, -primary)
    with pytest.raises(ValueError, match="finite"):
        fitted(np.where(np.arange(400) == 7, np.nan, lower), primary)


def test_its_name_tells_both_tiers_and_changes_with_the_fit() -> None:
    one, other = fitted(*opinions(0)), fitted(*opinions(1))
    assert one.name.startswith("clip-as-vlm+")
    assert one.name != other.name
    assert type(one).model_validate_json(one.model_dump_json()) == one
