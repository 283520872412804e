from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from allocator.edge.modulation import (
    Modulation,
    bit_error_rate,
    mean_bit_error_rate,
    snr_of_bit_error_rate,
)


def linear(decibels):
    return 10 ** (decibels / 10)


@pytest.mark.parametrize(
    ("modulation", "snr_db", "expected"),
    [
        (Modulation.QPSK, 10, 7.83e-4),
        (Modulation.QAM16, 15, 4.47e-3),
        (Modulation.QAM16, 20, 2.90e-6),
        (Modulation.QAM64, 20, 8.49e-3),
    ],
)
def test_golden_rates_in_white_noise(modulation, snr_db, expected):
    assert bit_error_rate(modulation, linear(snr_db)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("modulation", "snr_db", "expected", "tolerance"),
    [
        (Modulation.QAM16, 15, 0.0481370, 1e-6),
        (Modulation.QAM16, 20, 1.75e-2, 3e-3),
        (Modulation.QAM16, 30, 1.86e-3, 3e-3),
        (Modulation.BPSK, 2.5, 0.10, 0.01),
        (Modulation.BPSK, 10.7, 0.02, 0.01),
        (Modulation.BPSK, 16.9, 0.005, 0.01),
    ],
)
def test_golden_averages_over_rayleigh_fading(modulation, snr_db, expected, tolerance):
    measured = mean_bit_error_rate(modulation, linear(snr_db))
    assert measured == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("modulation", Modulation)
@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("mean_snr", [0.5, 10.0, 100.0])
def test_the_closed_average_is_the_integral_over_the_fading(modulation, m, mean_snr):
    def integrand(gain):
        return bit_error_rate(modulation, mean_snr * gain) * gamma.pdf(gain, m, scale=1 / m)

    integral = quad(integrand, 0, 3, limit=200)[0] + quad(integrand, 3, np.inf)[0]
    assert mean_bit_error_rate(modulation, mean_snr, m=m) == pytest.approx(integral, rel=1e-5)


@pytest.mark.parametrize("modulation", Modulation)
def test_more_signal_means_fewer_errors(modulation):
    rates = bit_error_rate(modulation, linear(np.arange(-20, 26)))
    assert (np.diff(rates) < 0).all()
    assert rates.max() <= 0.5


@pytest.mark.parametrize("modulation", Modulation)
def test_an_error_rate_leads_back_to_its_snr(modulation):
    snr = linear(np.linspace(-5, 12, 30))
    assert np.allclose(snr_of_bit_error_rate(modulation, bit_error_rate(modulation, snr)), snr)
