"""A panel beside people: agreement, self-consistency, anchors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, pearsonr, spearmanr

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.statistics import anchor, compare, mapped_onto, normalised_accuracy

NO = np.nan


def ratings(scores: np.ndarray, *, prefix: str = "r", items: list[str] | None = None) -> Ratings:
    names = items or [f"i{row}" for row in range(len(scores))]
    raters = tuple(f"{prefix}{column}" for column in range(scores.shape[1]))
    return Ratings(tuple(names), raters, np.clip(scores, 1, 5))


def rated(rng: np.random.Generator, mos: np.ndarray, raters: int, noise: float) -> np.ndarray:
    return np.clip(np.round(mos[:, None] + noise * rng.normal(size=(len(mos), raters))), 1, 5)


def test_a_comparison_tells_what_scipy_tells() -> None:
    rng = np.random.default_rng(1)
    mos = rng.uniform(1.5, 4.5, 40)
    ours, theirs = rated(rng, 0.6 * mos + 1.5, 12, 0.5), rated(rng, mos, 20, 0.7)
    found = compare(ratings(ours), ratings(theirs), rng)
    means = ours.mean(axis=1), theirs.mean(axis=1)
    assert found.srcc.point == pytest.approx(spearmanr(*means).statistic)
    assert found.plcc.point == pytest.approx(pearsonr(*means).statistic)
    assert found.ks.point == pytest.approx(ks_2samp(ours.ravel(), theirs.ravel()).statistic)
    assert found.rmse.point == pytest.approx(np.sqrt(np.mean((means[0] - means[1]) ** 2)))
    assert found.plcc_mapped is not None
    assert found.plcc_mapped.point >= found.plcc.point - 1e-9
    assert found.panel_sos is not None
    assert found.people_sos is not None
    for figure in (found.srcc, found.plcc, found.plcc_mapped, found.rmse, found.ks):
        assert figure.low <= figure.point <= figure.high


def test_items_are_matched_by_name_and_gaps_left_out() -> None:
    rng = np.random.default_rng(2)
    scores = rng.uniform(1, 5, size=(8, 4))
    holes = scores.copy()
    holes[0] = NO
    panel = ratings(holes, items=["x", "a", "b", "c", "d", "e", "f", "only ours"])
    people = ratings(scores[::-1], items=["only theirs", "f", "e", "d", "c", "b", "a", "x"])
    found = compare(panel, people, rng)
    assert found.items == ("a", "b", "c", "d", "e", "f")
    assert found.srcc.point == pytest.approx(1)
    assert found.plcc.point == pytest.approx(1)
    assert found.ks.point == 0
    assert found.plcc_mapped is None


def test_single_opinions_have_no_spread_to_compare() -> None:
    rng = np.random.default_rng(3)
    one = ratings(rng.uniform(1, 5, size=(12, 1)))
    assert compare(one, one, rng).panel_sos is None


def test_intervals_of_the_correlation_cover_the_truth() -> None:
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(16):
        both = rng.multivariate_normal([3, 3], [[0.25, 0.2], [0.2, 0.25]], size=60)
        interval = compare(ratings(both[:, :1]), ratings(both[:, 1:]), rng).plcc
        covered.append(interval.low <= 0.8 <= interval.high)
    print(f"\nPLCC of 0.8 over 60 items covered in {np.mean(covered):.2f} of 16")
    assert np.mean(covered) >= 13 / 16


@given(st.integers(0, 1000))
def test_a_mapping_rises_and_is_no_worse_than_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = rng.uniform(1, 5, size=(2, 12))
    mapped = mapped_onto(ours, theirs)
    assert (np.diff(mapped[ours.argsort()]) >= -1e-9).all()
    assert np.square(mapped - theirs).sum() <= np.square(ours - theirs).sum() + 1e-9


def test_a_rising_cubic_is_undone_exactly() -> None:
    theirs = np.linspace(1.2, 4.8, 15)
    x = (theirs - 1) / 4
    ours = 1 + 4 * (3 * x**2 * (1 - x) + x**3)  # steps 0, 0, 1, 0 in Bernstein form
    assert mapped_onto(theirs, ours) == pytest.approx(ours, abs=1e-9)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (np.full((4, 2), 3.0), np.full((4, 2), 3.0), "4 items"),
        (np.full((6, 2), 3.0), np.arange(12.0).reshape(6, 2) / 4 + 1, "all the same"),
        (np.full((6, 2), NO), np.full((6, 2), 3.0), "nothing was rated"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ours: np.ndarray, theirs: np.ndarray, told: str
) -> None:
    with pytest.raises(UnusableRatings, match=told):
        compare(ratings(ours), ratings(theirs), np.random.default_rng(0))


def people_twice(rng: np.random.Generator, noise: float) -> tuple[np.ndarray, Ratings, Ratings]:
    taste = rng.uniform(1.5, 4.5, size=40)[:, None] + 0.4 * rng.normal(size=(40, 20))
    first, second = (taste + noise * rng.normal(size=taste.shape) for _ in range(2))
    return taste.mean(axis=1), ratings(first), ratings(second)


def test_accuracy_is_told_beside_what_people_reach_themselves() -> None:
    rng = np.random.default_rng(5)
    truth, first, second = people_twice(rng, 0.6)
    found = normalised_accuracy(ratings(truth[:, None]), first, second, rng)
    # Variances: items 0.75, tastes 0.16, noise 0.36, so that r of two sessions is 0.91 / 1.27.
    assert found.self_consistency.point == pytest.approx(0.91 / 1.27, abs=0.04)
    assert found.accuracy.point == pytest.approx(np.sqrt(0.75 / 1.27), abs=0.04)
    assert found.normalised.point == pytest.approx(
        found.accuracy.point / found.self_consistency.point
    )
    assert found.normalised.point < 1 / np.sqrt(found.self_consistency.point)
    assert found.normalised.low < found.normalised.point < found.normalised.high
    assert found.people == 20
    worse = normalised_accuracy(ratings(truth[::-1, None]), first, second, rng)
    assert worse.normalised.point < 0.3


def test_people_who_rated_too_little_twice_are_left_out() -> None:
    rng = np.random.default_rng(6)
    truth, first, second = people_twice(rng, 0.5)
    scores = second.scores.copy()
    scores[4:, 0] = NO
    scores[:, 1] = 3.0
    fewer = Ratings(second.items, second.raters, scores)
    assert normalised_accuracy(ratings(truth[:, None]), first, fewer, rng).people == 18


def test_no_consistency_without_a_retest() -> None:
    rng = np.random.default_rng(7)
    truth, first, second = people_twice(rng, 0.5)
    panel = ratings(truth[:, None])
    with pytest.raises(UnusableRatings, match="0 people"):
        normalised_accuracy(panel, first, ratings(second.scores, prefix="other"), rng)
    with pytest.raises(UnusableRatings, match="do not agree with themselves"):
        normalised_accuracy(panel, first, ratings(6 - first.scores), rng)


def anchored(
    x: np.ndarray, y: np.ndarray, people: int = 15, items: list[str] | None = None
) -> tuple[Ratings, Ratings]:
    return (
        ratings(x[:, None], items=items),
        ratings(np.repeat(y[:, None], people, axis=1), items=items),
    )


def test_an_exact_line_is_found_and_applied() -> None:
    x = np.array([2.0, 2.5, 3.0, 3.6])
    line = anchor(*anchored(x, 0.5 + 1.2 * x - 0.7))
    assert (line.scale, line.shift, line.trust) == pytest.approx((1.2, -0.2, 1.0))
    assert line.error_after == pytest.approx(0, abs=1e-9)
    assert line.applied(np.array([1.0, 3.0, 5.0])) == pytest.approx([1.0, 3.4, 5.0])
    assert line.anchors == ("i0", "i1", "i2", "i3")


def test_a_slope_that_foretells_nothing_is_not_kept() -> None:
    # One anchor off by a point: with it the fitted slope is 2.5, without it 1 and exact.
    x = np.array([3.0, 3.1, 3.2, 3.3])
    line = anchor(*anchored(x, x + np.array([0.5, -0.2, -0.1, 0.4])))
    assert line.trust < 0.5
    assert abs(line.scale - 1) < 0.5
    assert line.shift == pytest.approx(0.15 + (1 - line.scale) * x.mean())


def test_anchoring_helps_pictures_that_were_not_anchors() -> None:
    rng = np.random.default_rng(8)
    before, after = [], []
    for _ in range(100):
        x = rng.uniform(2, 4.5, size=48)
        y = 0.4 + 0.8 * x + rng.normal(0, 0.1, size=48)
        line = anchor(*anchored(x[:8], y[:8]))
        before.append(np.square(x[8:] - y[8:]).mean())
        after.append(np.square(line.applied(x[8:]) - y[8:]).mean())
    print(f"\nRMSE {np.sqrt(np.mean(before)):.3f}, anchored {np.sqrt(np.mean(after)):.3f}")
    assert np.mean(after) < 0.5 * np.mean(before)


@given(st.integers(0, 1000))
def test_the_order_of_anchors_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(2, 4, size=6))
    y = np.clip(x + rng.normal(0, 0.1, size=6), 1, 5)
    order = rng.permutation(6)
    names = [f"i{place}" for place in order]
    line = anchor(*anchored(x, y))
    other = anchor(*anchored(x[order], y[order], items=names))
    assert (other.shift, other.scale) == pytest.approx((line.shift, line.scale))


@pytest.mark.parametrize(
    ("x", "y", "people", "told"),
    [
        ([2.0, 3.0], [2.0, 3.0], 15, "there are 2"),
        ([2.0, 3.0, 4.0], [2.0, 3.0, 4.0], 14, "there are 0 .of 3"),
        ([2.0, 3.0, 4.0, 4.5], [4.5, 3.0, 2.0, 1.5], 15, "opposite order"),
    ],
)
def test_what_is_no_anchor_is_refused(
    x: list[float], y: list[float], people: int, told: str
) -> None:
    with pytest.raises(UnusableRatings, match=told):
        anchor(*anchored(np.array(x), np.array(y), people))


def test_a_panel_that_tells_no_anchors_apart_is_only_shifted() -> None:
    line = anchor(*anchored(np.full(4, 3.0), np.array([3.0, 3.5, 4.0, 3.5])))
    assert (line.scale, line.shift) == (1, 0.5)
