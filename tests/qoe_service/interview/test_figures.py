"""Figures against derivations, other implementations, and truth that was put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr

from qoe_service.interview import figures
from qoe_service.interview.instruments import load_instrument
from qoe_service.schemas import TRAITS

MINI, FIFTY = load_instrument("mini-ipip"), load_instrument("ipip-50")
EITHER = pytest.mark.parametrize("instrument", [MINI, FIFTY], ids=lambda one: one.id)
NEUROTICISM = TRAITS.index("neuroticism")

ANSWERS = arrays(np.float64, (9, 20), elements=st.floats(1, 5) | st.just(float("nan")))


def traits_of_people(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 5))


@EITHER
def test_whoever_agrees_with_all_that_is_keyed_up_scores_5(instrument) -> None:
    answers = np.where(instrument.keys > 0, 5.0, 1.0)[None]
    assert figures.scale_scores(answers, instrument) == pytest.approx(np.full((1, 5), 5.0))
    assert figures.scale_scores(6 - answers, instrument) == pytest.approx(np.full((1, 5), 1.0))


def test_emotional_stability_counts_against_neuroticism() -> None:
    calm = {"Am relaxed most of the time.", "Seldom feel blue."}
    answers = np.array([[5.0 if one.text in calm else 3.0 for one in FIFTY.statements]])
    scores = figures.scale_scores(answers, FIFTY)[0]
    assert scores[NEUROTICISM] == pytest.approx((2 * 1 + 8 * 3) / 10)
    assert np.delete(scores, NEUROTICISM) == pytest.approx(3.0)


@given(ANSWERS)
def test_turning_round_twice_is_nothing(answers: np.ndarray) -> None:
    again = figures.keyed(figures.keyed(answers, MINI), MINI)
    assert again == pytest.approx(answers, nan_ok=True)


@given(ANSWERS)
def test_a_score_is_missing_or_near_the_scale_and_never_made_up(answers: np.ndarray) -> None:
    scores = figures.scale_scores(answers, MINI)
    answered = np.stack(
        [np.isfinite(answers[:, MINI.traits == trait]).sum(axis=1) for trait in range(5)], axis=1
    )
    assert (np.isfinite(scores) == (answered >= 2)).all()


@EITHER
def test_what_is_left_out_moves_nobody(instrument) -> None:
    usual = np.random.default_rng(1).uniform(1, 5, len(instrument.statements))
    shift = np.linspace(-0.4, 0.4, 10)[:, None] * instrument.keys
    whole = usual + shift
    gappy = whole.copy()
    gappy[3, 0] = gappy[4, -1] = np.nan
    expected = figures.scale_scores(whole, instrument)
    assert np.abs(figures.scale_scores(gappy, instrument) - expected).max() < 0.02
    constant = np.tile(usual, (10, 1))
    constant[3, 0] = constant[4, -1] = np.nan
    assert figures.scale_scores(constant, instrument).std(axis=0) == pytest.approx(0, abs=1e-12)


def test_t_scores_have_mean_50_and_sd_10_among_those_interviewed() -> None:
    scores = 3 + traits_of_people(40) * [0.5, 0.6, 0.7, 0.8, 0.0]
    t_scores = figures.t_scores(scores)
    assert t_scores[:, :4].mean(axis=0) == pytest.approx(50.0)
    assert t_scores[:, :4].std(axis=0, ddof=1) == pytest.approx(10.0)
    assert np.isnan(t_scores[:, 4]).all()
    assert np.isnan(figures.t_scores(scores[:7])).all()


def test_r_and_its_interval_are_scipys() -> None:
    one, other = traits_of_people(30)[:, :2].T
    other = other + 0.8 * one
    found = figures.correlation_with_interval(one, other)
    expected = pearsonr(one, other)
    low, high = expected.confidence_interval(0.95)
    assert (found.point, found.low, found.high) == pytest.approx((expected.statistic, low, high))


def test_an_r_that_is_none_is_none() -> None:
    rng = np.random.default_rng(2)
    assert figures.correlation(rng.random(7), rng.random(7)) is None
    assert figures.correlation(np.full(20, 3.0), rng.random(20)) is None
    holes = rng.random(20)
    holes[:13] = np.nan
    assert figures.correlation(holes, rng.random(20)) is None
    perfect = figures.correlation_with_interval(np.arange(9.0), np.arange(9.0))
    assert perfect.point == pytest.approx(1)
    assert perfect.low <= perfect.point


def test_alpha_of_two_items_is_2_r_over_1_plus_r() -> None:
    """Spearman and Brown, for items of equal variance."""
    x, z = np.array([1.0, 1, -1, -1] * 4), np.array([1.0, -1, 1, -1] * 4)
    for r in (0.0, 0.5, 1.0):
        y = r * x + np.sqrt(1 - r**2) * z
        found = figures.cronbach_alpha(np.stack([x, y], axis=1))
        assert found.point == pytest.approx(2 * r / (1 + r))
    assert figures.cronbach_alpha(np.stack([x, -x], axis=1)) is None  # their sum stands still
    assert figures.cronbach_alpha(np.stack([x, z], axis=1)[:7]) is None


def test_feldts_interval_covers_the_truth_95_times_in_100() -> None:
    """Four parallel items of r 0.5: alpha = 4 r / (1 + 3 r) = 0.8."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1_000):
        person = rng.standard_normal((25, 1))
        found = figures.cronbach_alpha(np.sqrt(0.5) * (person + rng.standard_normal((25, 4))))
        covered += found.low <= 0.8 <= found.high
    assert 930 <= covered <= 970  # 0.95 +- 3 SD


def test_alpha_leaves_out_who_did_not_answer_all() -> None:
    answers = np.random.default_rng(4).random((20, 4))
    holed = np.vstack([answers, [[np.nan, 1, 2, 3]]])
    assert figures.cronbach_alpha(holed) == figures.cronbach_alpha(answers)


@EITHER
def test_saying_yes_and_looking_good_are_told_apart_and_from_traits(instrument) -> None:
    person = np.random.default_rng(5).standard_normal((500, 1))
    pleasing_keys = instrument.keys * figures.DESIRABLE[instrument.traits]
    agreeing, pleasing = figures.style_shares(3 + 0.3 * person + 0 * pleasing_keys, instrument)
    assert (agreeing, pleasing) == pytest.approx((1, 0), abs=1e-9)
    agreeing, pleasing = figures.style_shares(3 + 0.3 * person * pleasing_keys, instrument)
    assert (agreeing, pleasing) == pytest.approx((0, 1), abs=1e-9)
    told = figures.told_answers(traits_of_people(5_000), instrument)
    agreeing, pleasing = figures.style_shares(told, instrument)
    assert (agreeing, pleasing) == pytest.approx((0, 0.2), abs=0.015)


def test_where_nobody_differs_there_is_no_style() -> None:
    assert figures.style_shares(np.full((20, 20), 4.0), MINI) == (None, None)


def test_dimensions_count_traits_that_vary_by_themselves() -> None:
    assert figures.effective_dimensions(np.tile(np.arange(9.0)[:, None], 5)) == pytest.approx(1)
    orthogonal = np.linalg.qr(np.hstack([np.ones((16, 1)), traits_of_people(16)]))[0][:, 1:]
    assert figures.effective_dimensions(orthogonal) == pytest.approx(5)
    assert figures.effective_dimensions(np.ones((9, 5))) is None


def test_twins_are_counted_in_full_options() -> None:
    answers = np.array([[4.1, 2.0], [3.9, 1.8], [1.0, 2.0], [4.0, 5.0]])
    assert figures.identical_share(answers) == 0.5
    alike = np.full((5, 3), 2.0)
    alike[0, 0] = np.nan
    assert figures.identical_share(alike) == 1.0


def test_the_gap_is_own_r_less_the_mean_of_the_others() -> None:
    z = traits_of_people(60)
    scores = 0.8 * z + 0.6 * traits_of_people(60, seed=9)
    table = np.array(figures.correlation_matrix(scores, z), dtype=float)
    others = [np.abs(np.delete(table[row], row)).mean() for row in range(5)]
    *each, mean = figures.gap_intervals(scores, z, np.random.default_rng(0))
    assert [one.point for one in each] == pytest.approx(table.diagonal() - others)
    assert mean.point == pytest.approx(np.mean(table.diagonal() - others))
    assert all(one.low < one.point < one.high for one in each)


def test_a_trait_that_stands_still_has_no_gap_and_neither_has_the_mean() -> None:
    z = traits_of_people(20)
    scores = z.copy()
    scores[:, 2] = 3.0
    *each, mean = figures.gap_intervals(scores, z, np.random.default_rng(0))
    assert [one is None for one in each] == [False, False, True, False, False]
    assert mean is None
    assert figures.gap_intervals(z[:7], z[:7], np.random.default_rng(0)) == [None] * 6
