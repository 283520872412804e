from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from allocator.diffusion.corruption import (
    RANGE_SD,
    dequantised,
    handed_over,
    quantised,
    with_bit_errors,
)
from allocator.plan import Handoff

LATENT = np.random.default_rng(3).standard_normal((4, 16, 16)).astype(np.float32)


@given(st.integers(1, 16))
def test_quantising_errs_by_half_a_level_at_most(bits):
    inside = np.clip(LATENT, -RANGE_SD, np.nextafter(np.float32(RANGE_SD), np.float32(0)))
    back = dequantised(quantised(inside, bits), bits)
    assert np.abs(back - inside).max() <= RANGE_SD / 2**bits + 1e-5


@given(st.integers(1, 16))
def test_quantising_twice_is_quantising_once(bits):
    once = quantised(LATENT, bits)
    np.testing.assert_array_equal(quantised(dequantised(once, bits), bits), once)


def test_values_beyond_the_range_saturate():
    far = dequantised(quantised(np.float32([-99, 99]), 8), 8)
    np.testing.assert_allclose(far, [-RANGE_SD + 1 / 64, RANGE_SD - 1 / 64])


def test_neighbouring_levels_differ_in_one_bit():
    levels = np.arange(-RANGE_SD + 1 / 64, RANGE_SD, 1 / 32, dtype=np.float32)
    codes = quantised(levels, 8)
    assert set(np.bitwise_count(codes[1:] ^ codes[:-1])) == {1}


@pytest.mark.parametrize("error_rate", [0.0, 0.02, 0.5])
def test_bits_flip_at_the_stated_rate(error_rate):
    codes = np.zeros(50_000, np.uint16)
    received = with_bit_errors(codes, Handoff(8, error_rate), np.random.default_rng(1))
    flipped = np.bitwise_count(received).sum() / (8 * codes.size)
    tolerance = 4 * np.sqrt(error_rate * (1 - error_rate) / (8 * codes.size))
    assert abs(flipped - error_rate) <= tolerance
    assert received.max() < 2**8


def test_the_plans_key_decides_which_bits_flip():
    handoff = Handoff(8, 0.05)
    np.testing.assert_array_equal(
        handed_over(LATENT, handoff, key="a"), handed_over(LATENT, handoff, key="a")
    )
    assert (handed_over(LATENT, handoff, key="a") != handed_over(LATENT, handoff, key="b")).any()


def test_gray_code_costs_a_gaussian_less_than_natural_binary_as_the_module_says():
    """Expected squared error per unit of (small) error rate, summed over the bits that may flip."""
    bits, step = 8, 2 * RANGE_SD / 2**8
    levels = np.arange(2**bits, dtype=np.uint16)
    middles = (levels + 0.5) * step - RANGE_SD
    mass = np.diff(norm.cdf(np.linspace(-RANGE_SD, RANGE_SD, 2**bits + 1)))

    def cost(flipped_levels):
        return (mass * (middles[flipped_levels] - middles) ** 2).sum()

    natural = sum(cost(levels ^ (1 << bit)) for bit in range(bits))
    codes = quantised(middles.astype(np.float32), bits)
    to_level = np.argsort(codes)
    gray = sum(cost(to_level[codes ^ (1 << bit)]) for bit in range(bits))
    assert gray == pytest.approx(13.0, abs=0.1)
    assert natural == pytest.approx(21.3, abs=0.1)
