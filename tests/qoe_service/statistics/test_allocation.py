"""Whom to ask next: the rule by hand, and what it promises by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import Allocation, plan_allocation

NO = np.nan


def asked_until_known(
    everybody: np.ndarray, half_width: float, first: int
) -> tuple[np.ndarray, Allocation, int]:
    """Follow the plan until it asks nobody; the opinions, the last plan, and the rounds it took."""
    scores = np.full(everybody.shape, NO)
    for rounds in range(20):
        plan = plan_allocation(scores, half_width, first=first)
        if plan.finished:
            return scores, plan, rounds
        for item, personas in enumerate(plan.ask_next):
            scores[item, list(personas)] = everybody[item, list(personas)]
    raise AssertionError("the plan never ends")


def test_the_first_round_asks_the_first_of_the_panel_about_everything() -> None:
    scores = np.full((2, 6), NO)
    scores[1, 2] = 4.0
    plan = plan_allocation(scores, 0.5, first=4)
    assert plan.ask_next == ((0, 1, 2, 3), (0, 1, 3))
    assert plan.asked.tolist() == [0, 1]
    assert np.isinf(plan.half_widths).all()
    assert not plan.finished


def test_steins_number_of_opinions() -> None:
    # 3, 3, 4, 4: variance 1/3, t of 3 degrees of freedom 3.18245.
    # Half a point takes (3.18245 / 0.5)^2 / 3 = 13.5, so 14; 4 reach 3.18245 / sqrt(12).
    scores = np.full((1, 20), NO)
    scores[0, :4] = [3, 3, 4, 4]
    plan = plan_allocation(scores, 0.5, first=4)
    assert plan.needed.tolist() == [14]
    assert plan.ask_next == (tuple(range(4, 14)),)
    assert plan.half_widths[0] == pytest.approx(3.18245 / np.sqrt(12), abs=1e-5)
    # What later opinions say does not change the number: that would be looking too often.
    scores[0, 4:10] = 5.0
    assert plan_allocation(scores, 0.5, first=4).needed.tolist() == [14]


def test_opinions_that_happen_to_agree_are_not_taken_for_certainty() -> None:
    scores = np.full((2, 30), NO)
    scores[0, :4] = 3.0
    scores[1, :4] = [2, 3, 4, 5]
    # Their pooled variance is half that of the other item, 5/3.
    plan = plan_allocation(scores, 1.0, first=4)
    assert plan.needed.tolist() == [
        int(np.ceil(3.18245**2 * 5 / 6)),
        int(np.ceil(3.18245**2 * 5 / 3)),
    ]


def test_a_panel_that_is_too_small_says_so() -> None:
    scores = np.array([[1.0, 5.0, 1.0, 5.0]])
    plan = plan_allocation(scores, 0.1, first=4)
    assert plan.out_of_reach.tolist() == [True]
    assert plan.finished
    assert plan.half_widths[0] > 0.1


def test_intervals_cover_and_are_as_narrow_as_asked_with_fewer_personas() -> None:
    rng = np.random.default_rng(6)
    spread = rng.uniform(0.2, 1.0, size=400)
    mean = rng.uniform(2, 4, size=400)
    everybody = mean[:, None] + spread[:, None] * rng.normal(size=(400, 150))
    scores, plan, rounds = asked_until_known(everybody, 0.3, first=8)
    reached = ~plan.out_of_reach
    covered = np.abs(np.nanmean(scores, axis=1) - mean) <= plan.half_widths
    # As many for every item as the one with the widest spread takes, were its spread known.
    fixed = int(np.ceil((1.96 * spread.max() / 0.3) ** 2))
    print(
        f"\ncovered {covered[reached].mean():.3f}, {plan.asked.mean():.1f} personas an item "
        f"against {fixed} for all alike, {rounds} rounds"
    )
    assert rounds == 2
    assert reached.mean() > 0.97
    assert (plan.half_widths[reached] <= 0.3).all()
    assert covered[reached].mean() > 0.93
    assert plan.asked.mean() < 0.7 * fixed


@given(st.integers(0, 1000), st.floats(-1, 1))
def test_a_shift_of_all_opinions_changes_nothing(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(3, 0.5, size=(5, 20))
    scores[:, 8:] = NO
    plan, moved = plan_allocation(scores, 0.4), plan_allocation(scores + shift, 0.4)
    assert moved.needed.tolist() == plan.needed.tolist()
    assert (plan.needed >= 8).all()
    for asked, more, needed in zip(plan.asked, plan.ask_next, plan.needed, strict=True):
        assert len(more) == min(20, needed) - asked


@pytest.mark.parametrize(
    ("half_width", "first", "told"),
    [(0.0, 8, "narrow"), (NO, 8, "narrow"), (0.3, 3, "first round"), (0.3, 11, "panel of 10")],
)
def test_what_cannot_be_planned_is_refused(half_width: float, first: int, told: str) -> None:
    with pytest.raises(UnusableRatings, match=told):
        plan_allocation(np.full((2, 10), NO), half_width, first=first)
