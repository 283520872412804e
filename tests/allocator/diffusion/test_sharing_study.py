from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.diffusion import sharing_study as study
from allocator.diffusion.generator import Generator
from allocator.diffusion.pictures import PictureStore
from tinyworld.clip import WEIGHTS, create_clip, load_clip
from tinyworld.diffusion import load_diffusion

SURVIVES = 0.75
"""Share of the unshared alignment that passes, read off the published figures."""

REPAIRED = 0.9


def test_similar_pairs_differ_in_a_look_alike_and_dissimilar_ones_in_everything_bold():
    rng = np.random.default_rng(0)
    for pair in study.similar_pairs(20, rng):
        assert study.LOOK_ALIKES[pair.own.subjects] == pair.public.subjects
        for factor in ("place", "time", "style", "tidiness", "action"):
            assert getattr(pair.own, factor) == getattr(pair.public, factor)
    for pair in study.dissimilar_pairs(20, rng):
        for factor in ("place", "time", "style", "subjects"):
            assert getattr(pair.own, factor) != getattr(pair.public, factor)


def test_pairs_are_decided_by_the_generator_they_are_drawn_from():
    pairs = [study.dissimilar_pairs(3, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert pairs[0] == pairs[1] != pairs[2]


@given(
    drop=st.floats(0.2, 0.8),
    steepness=st.floats(0.6, 3),
    middle=st.floats(3, 6),
    floor=st.floats(0, 0.2),
)
def test_the_fit_finds_the_curve_its_points_come_from(drop, steepness, middle, floor):
    curve = study.Logistic(drop, steepness, middle, floor, rmse=0.0)
    fitted = study.fit_logistic(study.SHARED_STEPS, curve(study.SHARED_STEPS))
    assert fitted.rmse < 1e-3
    np.testing.assert_allclose(fitted(study.SHARED_STEPS), curve(study.SHARED_STEPS), atol=5e-3)


def test_the_share_kept_compares_means_and_its_interval_comes_from_the_pairs():
    rng = np.random.default_rng(0)
    first = rng.uniform(0.6, 1.0, 200)
    table = np.stack([first, first / 2, first * rng.uniform(0, 1, 200)], axis=1)
    exact = study.kept(table, 1, rng)
    assert (exact.low, exact.point, exact.high) == pytest.approx((0.5, 0.5, 0.5))
    noisy = study.kept(table, 2, rng)
    assert noisy.low < noisy.point < noisy.high
    ahead = study.lead(table[:, [0, 0]], table[:, [0, 1]], 1, rng)
    assert ahead.point == pytest.approx(0.5)


def test_the_study_draws_each_pair_with_as_much_sharing_as_possible(diffusion):
    pairs = study.dissimilar_pairs(2, np.random.default_rng(0))
    generator = Generator(diffusion, PictureStore())
    table = study.by_shared_steps(generator, create_clip(0), pairs)
    assert table.shape == (2, 10)
    # Per pair: 9 public steps that all branches have in common, and 10 + 9 + ... + 1 own ones.
    assert generator.counts.denoising_steps_run == 2 * (9 + 55)
    errors = study.by_error_rate(generator, create_clip(0), pairs)
    assert errors.shape == (2, len(study.ERROR_RATES))


@pytest.fixture(scope="module")
def trained():
    if not (WEIGHTS / "uvit.safetensors").exists():
        pytest.skip("tinyworld's U-ViT is not trained yet")
    rng = np.random.default_rng(20)
    generator, clip = Generator(load_diffusion(), PictureStore()), load_clip()
    similar, dissimilar = study.similar_pairs(20, rng), study.dissimilar_pairs(20, rng)
    return {
        "similar": study.by_shared_steps(generator, clip, similar),
        "dissimilar": study.by_shared_steps(generator, clip, dissimilar),
        "bit errors": study.by_error_rate(generator, clip, similar),
        "change": study.change_by_error_rate(generator, similar),
    }


def kept(table, column):
    return study.kept(table, column, np.random.default_rng(0))


def test_alignment_falls_in_an_s_with_shared_steps(trained):
    for name in ("similar", "dissimilar"):
        means = trained[name].mean(axis=0)
        fitted = study.fit_logistic(study.SHARED_STEPS, means)
        assert fitted.rmse < 0.08
        assert means[0] - means[-1] > 0.25
        assert 0 < fitted.middle < 9


def test_a_similar_prompt_survives_a_switch_at_half_the_steps(trained):
    assert kept(trained["similar"], study.HALF).high >= SURVIVES


def test_a_dissimilar_prompt_survives_at_a_fifth_and_fails_at_half(trained):
    assert kept(trained["dissimilar"], study.FIFTH).high >= SURVIVES
    assert kept(trained["dissimilar"], study.HALF).low < SURVIVES


def test_a_dissimilar_prompt_falls_faster(trained):
    def all_steps(table):  # one step of 20 pairs alone tells little
        return np.stack([table[:, 0], table[:, 1:].mean(axis=1)], axis=1)

    similar, dissimilar = all_steps(trained["similar"]), all_steps(trained["dissimilar"])
    assert study.lead(similar, dissimilar, 1, np.random.default_rng(0)).low > 0


def test_rare_bit_errors_are_repaired(trained):
    rare = study.ERROR_RATES.index(0.02)
    assert kept(trained["bit errors"], rare).high >= REPAIRED


def test_the_more_bit_errors_the_more_it_is_another_picture(trained):
    change = trained["change"].mean(axis=0)
    assert change[0] == 0
    assert np.all(np.diff(change) > 0)
