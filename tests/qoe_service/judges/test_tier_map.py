"""A lower tier told on the primary judge's scale: order kept, error honest, no pretending."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.judges.tier_map import (
    LEAST_PAIRS,
    LEAST_PICTURES,
    NotComparable,
    TierMap,
    fit_tier_map,
)


def opinions(seed: int, count: int = 400, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A lower tier that squeezes the scale, and the primary judge with noise of its own."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1.2, 4.8, count)
    return 2.5 + 0.25 * (truth - 3), np.clip(truth + rng.normal(0, noise, count), 1, 5)


def panels(seed: int, pictures: int, people: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opinions of panels that agree, and the picture of each; what the lower tier overlooks of a
    picture (SD 0.5) makes it err in all of its opinions alike."""
    rng = np.random.default_rng(seed)
    picture = np.repeat(np.arange(pictures), people)
    seen = rng.uniform(2, 4, pictures)[picture] + rng.normal(0, 0.02, picture.size)
    overlooked = rng.normal(0, 0.5, pictures)[picture]
    return seen, np.clip(seen + overlooked + rng.normal(0, 0.05, picture.size), 1, 5), picture


def fitted(lower: np.ndarray, primary: np.ndarray, groups: np.ndarray | None = None) -> TierMap:
    return fit_tier_map(lower, primary, lower="clip", primary="vlm", groups=groups)


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
    assert error == pytest.approx(0.4, rel=0.1)  # the primary scale is four times as wide


def test_a_step_of_the_line_does_not_blow_an_error_up() -> None:
    step = fitted(*opinions(0)).model_copy(
        update={"knots": (2.0, 3.0, 3.001, 4.0), "values": (2.0, 2.5, 3.5, 4.0), "residual_sd": 0.0}
    )
    assert step.errors([3.0005], [0.5])[0] == pytest.approx(0.75, abs=0.01)
    assert step.errors([3.0005], [9.0])[0] == 1.0  # half of all that there is


def test_opinions_of_one_picture_are_left_out_together() -> None:
    kept_together, torn_apart = [], []
    for seed in range(20):
        lower, primary, picture = panels(seed, pictures=40)
        unseen, wanted, _ = panels(seed + 100, pictures=1000)
        found = fitted(lower, primary, groups=picture)
        error = float(np.sqrt(np.mean((found.scores(unseen) - wanted) ** 2)))
        kept_together.append(found.residual_sd / error)
        torn_apart.append(fitted(lower, primary).residual_sd / error)
    # 40 pictures know a standard deviation to one part in 9, 20 draws of 40 to one in 40.
    assert np.mean(kept_together) == pytest.approx(1, abs=0.075)
    assert np.mean(torn_apart) < 0.9  # a picture's opinions gave each other away


def test_groups_may_have_any_names_and_order() -> None:
    lower, primary, picture = panels(0, pictures=40)
    named = np.array([f"sha-{99 - number}" for number in picture])
    assert fitted(lower, primary, groups=named) == fitted(lower, primary, groups=picture)


def test_the_level_is_told_before_and_after() -> None:
    lower, primary, picture = panels(0, pictures=100)
    found = fitted(lower - 1.2, primary, groups=picture)
    assert found.level_off == pytest.approx(np.mean(lower - 1.2 - primary))
    # What is overlooked of a picture, over the root of 100; 1200 opinions know no more than that.
    assert found.level_se == pytest.approx(0.5 / np.sqrt(100), rel=0.2)
    assert (found.pairs, found.pictures) == (1200, 100)


def test_the_level_is_as_far_off_as_it_says() -> None:
    off = []
    for seed in range(40):
        lower, primary, picture = panels(seed, pictures=60, people=2)
        unseen, wanted, _ = panels(seed + 100, pictures=4000, people=1)
        found = fitted(lower, primary, groups=picture)
        off.append((np.mean(found.scores(unseen)) - np.mean(wanted)) / found.level_se)
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1, abs=0.3)  # 40 draws: to 1 in 9


def test_it_refuses_to_pretend() -> None:
    lower, primary = opinions(0)
    with pytest.raises(NotComparable, match=f"59 opinions of 59 .* at least {LEAST_PAIRS}"):
        fitted(lower[:59], primary[:59])
    many_of_few = np.arange(400) % (LEAST_PICTURES - 1)
    with pytest.raises(NotComparable, match="400 opinions of 29 pictures in common"):
        fitted(lower, primary, groups=many_of_few)
    with pytest.raises(NotComparable, match="same score"):
        fitted(np.full(400, 3.0), primary)
    with pytest.raises(NotComparable, match="does not follow"):
        fitted(lower, -primary)
    falls_but_once = np.r_[np.full(60, 1.0), np.linspace(2, 3, 340)]
    with pytest.raises(NotComparable, match="best rising map is level"):
        fitted(falls_but_once, np.r_[np.full(60, 5.0), np.linspace(1, 1.2, 340)])
    with pytest.raises(ValueError, match="finite"):
        fitted(np.where(np.arange(400) == 7, np.nan, lower), primary)


def test_its_name_tells_both_tiers_and_changes_with_the_fit() -> None:
    one, other = fitted(*opinions(0)), fitted(*opinions(1))
    assert one.name.startswith("clip-as-vlm+")
    assert one.name != other.name
    assert type(one).model_validate_json(one.model_dump_json()) == one


@pytest.mark.parametrize(
    "damage",
    [
        {"values": (2.0, 1.0)},
        {"knots": (1.0, 1.0)},
        {"values": (1.0, 6.0)},
        {"values": (1.0, float("nan"))},
        {"knots": (1.0, 2.0, 3.0)},
        {"residual_sd": -0.1},
        {"residual_sd": float("inf")},
    ],
)
def test_a_map_that_cannot_be_is_refused(damage: dict[str, object]) -> None:
    right = fitted(*opinions(0)).model_dump() | {"knots": (1.0, 2.0), "values": (1.0, 2.0)}
    assert TierMap.model_validate(right)
    with pytest.raises(ValueError, match="TierMap"):
        TierMap.model_validate(right | damage)
