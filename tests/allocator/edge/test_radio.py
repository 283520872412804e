from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gamma, kstest

from allocator.edge.radio import (
    LOS_SHADOWING_DB,
    NLOS_SHADOWING_DB,
    NakagamiFading,
    draw_shadowing_db,
    jakes_correlation,
    los_path_loss_db,
    los_probability,
    moved_shadowing_db,
    nlos_path_loss_db,
    noise_power_dbm,
    snr,
    spectral_efficiency,
)

GOLDEN_AT_5_GHZ = [
    (los_path_loss_db, 10, 69.8591),
    (los_path_loss_db, 100, 88.4122),
    (los_path_loss_db, 1000, 119.3114),
    (los_path_loss_db, 5000, 147.2696),
    (nlos_path_loss_db, 10, 76.7563),
    (nlos_path_loss_db, 100, 107.9432),
    (nlos_path_loss_db, 1000, 143.1886),
    (nlos_path_loss_db, 5000, 167.8617),
]
"""ns-3's TR 38.901 UMi vectors. There, two of the eight are ever checked; here, all are."""


def test_path_loss_meets_every_golden_vector():
    checked = 0
    for path_loss_db, distance_m, expected_db in GOLDEN_AT_5_GHZ:
        assert path_loss_db(distance_m, carrier_hz=5e9) == pytest.approx(expected_db, abs=5e-5)
        checked += 1
    assert checked == 8


@pytest.mark.parametrize(
    ("distance_m", "los_db", "nlos_db", "probability"),
    [
        (10, 66.76, 73.46, 1.0),
        (50, 79.09, 94.18, 0.520),
        (100, 85.31, 104.64, 0.231),
        (200, 91.61, 115.23, 0.094),
    ],
)
def test_default_carrier_meets_the_published_table(distance_m, los_db, nlos_db, probability):
    assert los_path_loss_db(distance_m) == pytest.approx(los_db, abs=0.006)
    assert nlos_path_loss_db(distance_m) == pytest.approx(nlos_db, abs=0.006)
    assert los_probability(distance_m) == pytest.approx(probability, abs=6e-4)


def test_users_are_vectorised():
    distances_m = np.linspace(10, 1000, 7)
    one_by_one = [float(nlos_path_loss_db(distance_m)) for distance_m in distances_m]
    np.testing.assert_allclose(nlos_path_loss_db(distances_m), one_by_one)


@pytest.mark.parametrize("distance_m", [9.0, -1.0, float("nan")])
def test_a_user_inside_the_base_station_is_refused(distance_m):
    with pytest.raises(ValueError, match=r"holds from 10\.0 m"):
        los_path_loss_db([50.0, distance_m])


@pytest.mark.parametrize(
    ("bandwidth_hz", "expected_dbm"),
    [(180e3, -112.45), (1e6, -105.0), (10e6, -95.0), (20e6, -91.99), (100e6, -85.0)],
)
def test_noise_power(bandwidth_hz, expected_dbm):
    assert noise_power_dbm(bandwidth_hz) == pytest.approx(expected_dbm, abs=0.005)


def test_snr_and_capped_rate_meet_the_published_table():
    """23 dBm over 10 MHz at 50 and 10 m with line of sight: 38.9 and 51.2 dB, capped at 7.4."""
    ratio = snr(
        10 ** (23 / 10) / 1e3,
        path_loss_db=los_path_loss_db([50, 10]),
        power_gain=1.0,
        noise_dbm=noise_power_dbm(10e6),
    )
    np.testing.assert_allclose(10 * np.log10(ratio), [38.9, 51.2], atol=0.06)
    np.testing.assert_allclose(spectral_efficiency(ratio), 7.4)
    np.testing.assert_allclose(spectral_efficiency(ratio, highest=99), [12.9, 17.0], atol=0.06)


@pytest.mark.parametrize(
    ("speed_m_s", "interval_s", "expected"),
    [
        (3 / 3.6, 1e-3, 0.9991),
        (3 / 3.6, 5e-3, 0.977),
        (3 / 3.6, 10e-3, 0.909),
        (3 / 3.6, 20e-3, 0.660),
        (3 / 3.6, 100e-3, 0.18),
        (30 / 3.6, 1e-3, 0.909),
        (30 / 3.6, 5e-3, -0.28),
    ],
)
def test_jakes_correlation(speed_m_s, interval_s, expected):
    assert jakes_correlation(speed_m_s, interval_s) == pytest.approx(expected, abs=6e-3)


@pytest.mark.parametrize("m", [1, 2, 4])
@pytest.mark.parametrize("correlation", [-0.28, 0.0, 0.95])
def test_fading_keeps_its_distribution_and_has_the_stated_memory(m, correlation):
    rng = np.random.default_rng(m)
    before = NakagamiFading.draw((20_000,), rng, m=m)
    after = before.advanced(correlation, rng)
    assert kstest(after.power_gain, gamma(m, scale=1 / m).cdf).pvalue > 1e-3
    measured = np.corrcoef(before.power_gain, after.power_gain)[0, 1]
    assert measured == pytest.approx(correlation**2, abs=0.03)


def test_a_channel_that_stands_still_does_not_change():
    rng = np.random.default_rng(0)
    channel = NakagamiFading.draw((2, 3), rng, m=2)
    np.testing.assert_allclose(channel.advanced(1.0, rng).power_gain, channel.power_gain)
    assert channel.power_gain.shape == (2, 3)


def test_impossible_fading_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="got 0"):
        NakagamiFading.draw((1,), rng, m=0)
    with pytest.raises(ValueError, match=r"got 1\.1"):
        NakagamiFading.draw((1,), rng).advanced(1.1, rng)


@pytest.mark.parametrize(
    ("line_of_sight", "sigma_db", "decorrelation_m"),
    [(True, LOS_SHADOWING_DB, 10), (False, NLOS_SHADOWING_DB, 13)],
)
def test_shadowing_has_its_spread_and_decorrelates_with_distance(
    line_of_sight, sigma_db, decorrelation_m
):
    rng = np.random.default_rng(5)
    seen = np.full(20_000, line_of_sight)
    before = draw_shadowing_db(seen, rng)
    after = moved_shadowing_db(before, 5.0, seen, rng)
    assert after.std() == pytest.approx(sigma_db, rel=0.03)
    expected = np.exp(-5.0 / decorrelation_m)
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(expected, abs=0.02)
