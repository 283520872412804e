"""A cheap score steadies the mean of a few dear ones, and never bends it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import controlled_opinions

NO = np.nan
PANEL = 200


def panel(correlation: float, items: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Opinions and controls of everybody, (items, PANEL), correlated within items."""
    rng = np.random.default_rng(11)
    control = rng.normal(3, 0.6, size=(items, PANEL))
    own = rng.normal(0, 0.6, size=(items, PANEL))
    opinions = 3 + correlation * (control - 3) + np.sqrt(1 - correlation**2) * own
    return np.clip(opinions, 1, 5), control


@pytest.mark.parametrize("correlation", [0.0, 0.7, -0.7])
def test_it_is_unbiased_covers_and_saves_what_it_says(correlation: float) -> None:
    opinions, control = panel(correlation)
    truth = opinions.mean(axis=1)
    rng = np.random.default_rng(12)
    off, plain_off, covered, told = [], [], [], []
    for _ in range(200):
        asked = np.argsort(rng.random(opinions.shape), axis=1) < 8
        found = controlled_opinions(np.where(asked, opinions, NO), control)
        off.append(found.means - truth)
        plain_off.append(found.plain_means - truth)
        covered.append((found.low <= truth) & (truth <= found.high))
        told.append(found.variance_reduction)
    error = np.std(off) / np.sqrt(np.size(off))
    saved = np.var(plain_off) / np.var(off)
    print(
        f"\nr = {correlation}: bias {np.mean(off):+.4f} (standard error {error:.4f}), covered "
        f"{np.mean(covered):.3f}, variance reduced {saved:.2f} times, told {np.median(told):.2f}"
    )
    assert abs(np.mean(off)) < 3.5 * error
    assert np.mean(covered) > 0.93
    assert np.median(told) == pytest.approx(saved, rel=0.12)
    # In theory 1 / (1 - r^2): 1.96 for 0.7, and nothing is lost where the control tells nothing.
    assert saved == pytest.approx(1 / (1 - correlation**2), rel=0.12)


def test_a_control_that_tells_all_leaves_nothing_open() -> None:
    _, control = panel(1.0, items=3)
    opinions = 2 + 0.3 * control
    scores = np.where(np.arange(PANEL) < 5, opinions, NO)
    found = controlled_opinions(scores, control)
    assert found.means == pytest.approx(opinions.mean(axis=1))
    assert found.slope == pytest.approx(0.3)
    assert found.high - found.low == pytest.approx(np.zeros(3), abs=1e-9)


def test_a_constant_control_changes_nothing() -> None:
    scores = np.array([[1.0, 2, 4, 5, NO, 3, 2, 2]])
    found = controlled_opinions(scores, np.full((1, 8), 3.0))
    assert found.means == pytest.approx(found.plain_means)
    assert (found.slope, found.variance_reduction) == (0, 1)


def test_a_small_panel_and_a_curve_leave_it_unbiased() -> None:
    # Opinion is the square of the control. Fitting the slope to the others is not enough here: who
    # is left of a panel of 14 depends on who the others are.
    rng = np.random.default_rng(13)
    control = rng.normal(0, 0.6, size=(1, 14))
    opinions = np.clip(3 + control**2, 1, 5)
    off = []
    for _ in range(8000):
        asked = np.argsort(rng.random(opinions.shape), axis=1) < 8
        found = controlled_opinions(np.where(asked, opinions, NO), control)
        off.append(found.means[0] - opinions.mean())
    error = np.std(off) / np.sqrt(len(off))
    print(f"\nbias {np.mean(off):+.4f} (standard error {error:.4f})")
    assert abs(np.mean(off)) < 3 * error


def test_who_asks_everybody_needs_no_control() -> None:
    opinions, control = panel(0.7, items=2)
    found = controlled_opinions(opinions, control)
    assert found.means == pytest.approx(opinions.mean(axis=1))


@given(st.integers(0, 1000), st.floats(-3, 3), st.floats(0.1, 5))
def test_the_unit_of_the_control_does_not_matter(seed: int, shift: float, unit: float) -> None:
    rng = np.random.default_rng(seed)
    scores, control = rng.uniform(1, 5, size=(4, 9)), rng.normal(size=(4, 9))
    scores[:, rng.integers(9, size=3)] = NO
    found = controlled_opinions(scores, control)
    other = controlled_opinions(scores, shift + unit * control)
    assert other.means == pytest.approx(found.means)
    assert other.high == pytest.approx(found.high)
    assert ((found.low >= 1) & (found.high <= 5)).all()


@pytest.mark.parametrize(
    ("scores", "control", "told"),
    [
        (np.ones((2, 9)), np.ones((2, 8)), "need a control of every"),
        (np.ones((2, 9)), np.full((2, 9), NO), "need a control of every"),
        (np.array([[3.0] + [NO] * 8]), np.ones((1, 9)), "number 1 needs 2"),
        (np.ones((1, 6)), np.ones((1, 6)), "too few to tell"),
    ],
)
def test_what_cannot_be_controlled_is_refused(
    scores: np.ndarray, control: np.ndarray, told: str
) -> None:
    with pytest.raises(UnusableRatings, match=told):
        controlled_opinions(scores, control)
