"""The subject model, against simulated truth, its bound, and the Annex's own rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import subject_model, tastes_by_feature, tastes_by_item

SEEDS = range(8)


@dataclass(frozen=True)
class Truth:
    """Simulated ratings and what they were made of."""

    scores: np.ndarray
    quality: np.ndarray
    bias: np.ndarray
    inconsistency: np.ndarray

    @property
    def bound(self) -> float:
        """Cramer-Rao: the root mean square error of quality that no unbiased estimate goes below,
        were biases and inconsistencies known."""
        weights = np.isfinite(self.scores) / self.inconsistency**2
        return float(np.sqrt((1 / weights.sum(axis=1)).mean()))


def simulated(seed: int, *, inconsistency: float, items: int = 60, raters: int = 24) -> Truth:
    """20 % missing. Biases spread by 0.3 of a point, as those of the 26 people of the sample data
    of ITU-T P.910's demonstration do; inconsistencies scatter by a factor of e^0.3."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(1.3, 4.7, items)
    bias = rng.normal(0, 0.3, raters)
    bias -= bias.mean()
    spread = inconsistency * np.exp(rng.normal(0, 0.3, raters))
    scores = quality[:, None] + bias + spread * rng.normal(size=(items, raters))
    scores[rng.random(scores.shape) < 0.2] = np.nan
    return Truth(scores, quality, bias, spread)


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).mean()))


def correlation(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.corrcoef(found, truth)[0, 1])


@pytest.mark.parametrize("inconsistency", [0.2, 0.6])
def test_simulated_truth_is_recovered_as_well_as_can_be(inconsistency: float) -> None:
    truths = [simulated(seed, inconsistency=inconsistency) for seed in SEEDS]
    models = [subject_model(truth.scores) for truth in truths]
    pairs = list(zip(models, truths, strict=True))
    errors = np.array([rmse(model.quality, truth.quality) for model, truth in pairs])
    bounds = np.array([truth.bound for truth in truths])
    means = [rmse(np.nanmean(truth.scores, axis=1), truth.quality) for truth in truths]
    biases = np.array([correlation(model.bias, truth.bias) for model, truth in pairs])
    print(
        f"\ninconsistency {inconsistency}: quality RMSE {errors.mean():.3f} (largest of "
        f"{len(SEEDS)} {errors.max():.3f}, bound {bounds.mean():.3f}, plain MOS "
        f"{np.mean(means):.3f}), bias r {biases.mean():.3f} (least {biases.min():.3f})"
    )
    assert all(model.converged for model in models)
    assert errors.mean() <= 1.08 * bounds.mean()
    assert errors.mean() < np.mean(means)
    if inconsistency == 0.2:  # of a panel of personas; people are noisier than 24 of them can undo
        assert errors.mean() <= 0.05
        assert biases.min() >= 0.95


def test_what_is_told_of_errors_holds() -> None:
    truths = [simulated(seed, inconsistency=0.6) for seed in SEEDS]
    pairs = [(subject_model(truth.scores), truth) for truth in truths]
    quality = [np.abs(m.quality - t.quality) < 1.96 * m.quality_errors for m, t in pairs]
    bias = [np.abs(m.bias - t.bias) < 1.96 * m.bias_errors for m, t in pairs]
    low = [m.inconsistency_low < t.inconsistency for m, t in pairs]
    high = [t.inconsistency < m.inconsistency_high for m, t in pairs]
    ratio = np.mean([m.inconsistency / t.inconsistency for m, t in pairs])
    print(
        f"\ncovered: quality {np.mean(quality):.3f}, bias {np.mean(bias):.3f}, inconsistency "
        f"{np.mean(np.logical_and(low, high)):.3f}; inconsistency told / true {ratio:.3f}"
    )
    assert np.mean(quality) > 0.92
    assert np.mean(bias) > 0.92
    assert np.mean(np.logical_and(low, high)) > 0.9
    assert ratio == pytest.approx(1, abs=0.03)


def rounds_of_the_annex(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quality, bias and inconsistency as the Annex's words say, one rating after the other."""
    items, raters = ([*range(n)] for n in scores.shape)
    of_item = [[j for j in raters if np.isfinite(scores[i, j])] for i in items]
    of_rater = [[i for i in items if np.isfinite(scores[i, j])] for j in raters]
    quality = [np.mean([scores[i, j] for j in of_item[i]]) for i in items]
    bias = [np.mean([scores[i, j] - quality[i] for i in of_rater[j]]) for j in raters]
    spread = [1.0] * len(raters)
    for _ in range(200):
        spread = [
            float(np.std([scores[i, j] - quality[i] - bias[j] for i in of_rater[j]])) + 1e-8
            for j in raters
        ]
        quality = [
            sum((scores[i, j] - bias[j]) / spread[j] ** 2 for j in of_item[i])
            / sum(1 / spread[j] ** 2 for j in of_item[i])
            for i in items
        ]
        bias = [np.mean([scores[i, j] - quality[i] for i in of_rater[j]]) for j in raters]
    centre = np.mean(bias)
    return np.array(quality) + centre, np.array(bias) - centre, np.array(spread)


def test_it_comes_to_what_the_annex_comes_to() -> None:
    truth = simulated(3, inconsistency=0.5, items=40, raters=24)
    quality, bias, spread = rounds_of_the_annex(truth.scores)
    model = subject_model(truth.scores)
    assert model.quality == pytest.approx(quality, abs=0.05)
    assert model.bias == pytest.approx(bias, abs=0.02)
    # The Annex's is smaller by what the fit has taken: 24 raters, 40 items, 80 % of both there.
    ratio = float(np.mean(spread / model.inconsistency))
    assert ratio == pytest.approx(np.sqrt((1 - 1 / (24 * 0.8)) * (1 - 1 / (40 * 0.8))), abs=0.02)


def test_it_does_not_run_away_where_the_annex_does() -> None:
    """Drawn from the very model, 30 items by 16 raters: the rounds of the Annex end with a rater
    whose inconsistency is nothing and whose ratings are the qualities."""
    truth = simulated(7, inconsistency=0.5, items=30, raters=16)
    quality, _, spread = rounds_of_the_annex(truth.scores)
    model = subject_model(truth.scores)
    ours, theirs = rmse(model.quality, truth.quality), rmse(quality, truth.quality)
    print(f"\nRMSE {ours:.3f}, the Annex's {theirs:.3f}; bound {truth.bound:.3f}")
    assert spread.min() < 1e-6
    assert theirs > 1.5 * truth.bound
    assert ours < 0.75 * theirs
    assert model.inconsistency.min() > 0.1


def test_equal_raters_of_a_full_table_leave_the_mean_opinion() -> None:
    # Row means 2, 3, 4. Residuals are the same for all by symmetry: no rater weighs more.
    off = np.array([[1.0, -1, 0], [0, 1, -1], [-1, 0, 1]])
    model = subject_model(np.array([[2.0], [3], [4]]) + off)
    assert model.quality == pytest.approx([2, 3, 4])
    assert model.bias == pytest.approx([0, 0, 0])
    # Sum of squares 6 over (3 - 1) (3 - 1) degrees of freedom.
    assert model.inconsistency == pytest.approx([np.sqrt(6 / 4)] * 3)
    assert model.quality_errors == pytest.approx([np.sqrt(6 / 4 / 3)] * 3)


def test_a_random_rater_is_told_and_weighs_little() -> None:
    truth = simulated(5, inconsistency=0.4)
    rng = np.random.default_rng(0)
    careless = np.hstack([truth.scores, rng.integers(1, 6, size=(60, 3)).astype(float)])
    model = subject_model(careless)
    assert set(model.inconsistency.argsort()[-3:]) == {24, 25, 26}
    without = subject_model(truth.scores)
    assert rmse(model.quality, without.quality + (model.quality - without.quality).mean()) < 0.03


def personas(seed: int) -> tuple[Truth, np.ndarray, np.ndarray]:
    """Raters whose traits meet features of the items; (R, 5) traits and (I, 6) features."""
    truth = simulated(seed, inconsistency=0.2)
    rng = np.random.default_rng(100 + seed)
    traits, features = rng.normal(size=(24, 5)), rng.normal(size=(60, 6))
    taste = (features - features.mean(axis=0)) @ rng.normal(0, 0.1, size=(6, 5))
    scores = truth.scores + taste @ (traits - traits.mean(axis=0)).T
    return Truth(scores, truth.quality, truth.bias, truth.inconsistency), traits, features


def test_tastes_are_not_taken_for_unreliability() -> None:
    told: dict[str, list[float]] = {"left in": [], "by item": [], "by feature": []}
    for seed in SEEDS:
        truth, traits, features = personas(seed)
        by_item = tastes_by_item(truth.scores, traits)
        by_feature = tastes_by_feature(truth.scores, traits, features)
        models = (
            subject_model(truth.scores),
            subject_model(by_item.rest, by_item.freedom),
            subject_model(by_feature.rest, by_feature.freedom),
        )
        for name, model in zip(told, models, strict=True):
            told[name].append(float((model.inconsistency / truth.inconsistency).mean()))
        assert rmse(models[2].quality, truth.quality) < 0.06
    print(f"\ninconsistency told / true: { {k: round(np.mean(v), 3) for k, v in told.items()} }")
    assert np.mean(told["left in"]) > 2
    assert np.mean(told["by item"]) == pytest.approx(1, abs=0.06)
    assert np.mean(told["by feature"]) == pytest.approx(1, abs=0.04)


def test_tastes_are_exact_where_nothing_else_is_there() -> None:
    truth, traits, features = personas(1)
    there = np.isfinite(truth.scores)
    taste = (features - features.mean(axis=0)) @ np.ones((6, 5)) @ (traits - traits.mean(axis=0)).T
    clean = np.where(there, truth.quality[:, None] + truth.bias + taste, np.nan)
    for found in (tastes_by_item(clean, traits), tastes_by_feature(clean, traits, features)):
        assert found.explained == pytest.approx(taste, abs=1e-8)
        left = truth.quality[:, None] + truth.bias
        assert found.rest[there] == pytest.approx(left[there], abs=1e-8)


@given(st.integers(0, 10_000), st.floats(-1, 1))
def test_order_does_not_matter_and_a_shift_of_a_rater_is_bias(seed: int, shift: float) -> None:
    scores = simulated(seed, inconsistency=0.4, items=20, raters=8).scores
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(20), rng.permutation(8)
    model = subject_model(scores)
    shuffled = subject_model(scores[rows][:, columns])
    assert shuffled.quality == pytest.approx(model.quality[rows], abs=1e-6)
    assert shuffled.inconsistency == pytest.approx(model.inconsistency[columns], abs=1e-6)
    scores[:, 0] += shift
    moved = subject_model(scores)
    assert moved.quality == pytest.approx(model.quality + shift / 8, abs=1e-6)
    assert moved.bias[0] == pytest.approx(model.bias[0] + shift * 7 / 8, abs=1e-6)
    assert moved.inconsistency == pytest.approx(model.inconsistency, abs=1e-6)


FULL = np.array([[1.0, 2, 3], [2, 2, 4], [4, 5, 4], [3, 1, 2]])
NO = np.nan


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (FULL[:, :2], "3 raters, got 4 and 2"),
        (FULL[:, :1], "got 4 and 1"),
        (FULL[:1], "got 1 and 3"),
        (FULL * NO, "there are no ratings"),
        (np.column_stack([FULL, [NO] * 4]), "rater number 4 has no rating"),
        (np.column_stack([FULL, [1, 2, NO, NO]]), "rater number 4 rated 2 items"),
        (np.column_stack([FULL[:, 0]] * 4), "copy each other"),
        (np.full((4, 4), 3.0), "copy each other"),
    ],
)
def test_ratings_that_tell_nothing_of_raters_are_refused(scores: np.ndarray, told: str) -> None:
    with pytest.raises(UnusableRatings, match=told):
        subject_model(scores)


def test_tables_that_would_take_too_much_memory_are_refused_before_it_is_taken() -> None:
    with pytest.raises(UnusableRatings, match="give features of the items"):
        tastes_by_item(np.ones((8, 100_000)), np.ones((100_000, 5)))
    with pytest.raises(UnusableRatings, match="2000 features are too many"):
        tastes_by_feature(np.ones((300, 300)), np.ones((300, 5)), np.ones((300, 2_000)))


def test_parameters_fitted_before_must_leave_something() -> None:
    with pytest.raises(UnusableRatings, match="6 degrees of freedom"):
        subject_model(FULL, freedom_used=6)
    with pytest.raises(UnusableRatings, match="use fewer traits"):
        tastes_by_item(FULL, np.eye(3))
    with pytest.raises(UnusableRatings, match="use fewer features"):
        tastes_by_feature(FULL, np.eye(3)[:, :2], np.eye(4)[:, :3])
    with pytest.raises(UnusableRatings, match="need 3 rows"):
        tastes_by_item(FULL, np.eye(4))
