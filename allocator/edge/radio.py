"""The radio channel: path loss, shadowing, noise, fading and rate, vectorised over users.

Large scale follows 3GPP TR 38.901, UMi street canyon. Small-scale gains have mean 1. Everything is
a function of arrays; chance comes from the caller's generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j0

from allocator.arrays import Floats

CARRIER_HZ = 3.5e9
BASE_STATION_HEIGHT_M, USER_HEIGHT_M = 10.0, 1.5
NEAREST_M = 10.0
"""TR 38.901 table 7.2-1: no user stands closer to a UMi base station (2-D distance)."""

SPEED_OF_LIGHT_M_S = 3.0e8
"""As the notes of TR 38.901 table 7.4.1-1 have it, for the break point."""

LOS_SHADOWING_DB, NLOS_SHADOWING_DB = 4.0, 7.82
LOS_DECORRELATION_M, NLOS_DECORRELATION_M = 10.0, 13.0
NOISE_DENSITY_DBM_HZ = -174.0
HIGHEST_SPECTRAL_EFFICIENCY = 7.4
"""bit/s/Hz of 256-QAM at code rate 0.93, the best scheme a 5G terminal is given."""


def los_path_loss_db(distance_m: ArrayLike, *, carrier_hz: float = CARRIER_HZ) -> Floats:
    """Path loss with line of sight, TR 38.901 table 7.4.1-1, from the 2-D distance."""
    distance_2d_m = _checked_distance(distance_m)
    heights = BASE_STATION_HEIGHT_M - USER_HEIGHT_M
    distance_3d_m = np.hypot(distance_2d_m, heights)
    break_point_m = (
        4 * (BASE_STATION_HEIGHT_M - 1) * (USER_HEIGHT_M - 1) * carrier_hz / SPEED_OF_LIGHT_M_S
    )
    level = 32.4 + 20 * np.log10(carrier_hz / 1e9)
    near = level + 21 * np.log10(distance_3d_m)
    far = level + 40 * np.log10(distance_3d_m) - 9.5 * np.log10(break_point_m**2 + heights**2)
    path_loss_db: Floats = np.where(distance_2d_m <= break_point_m, near, far)
    return path_loss_db


def nlos_path_loss_db(distance_m: ArrayLike, *, carrier_hz: float = CARRIER_HZ) -> Floats:
    """Path loss without line of sight, TR 38.901 table 7.4.1-1, never below the one with it."""
    distance_3d_m = np.hypot(_checked_distance(distance_m), BASE_STATION_HEIGHT_M - USER_HEIGHT_M)
    blocked = (
        22.4
        + 35.3 * np.log10(distance_3d_m)
        + 21.3 * np.log10(carrier_hz / 1e9)
        - 0.3 * (USER_HEIGHT_M - 1.5)
    )
    path_loss_db: Floats = np.maximum(los_path_loss_db(distance_m, carrier_hz=carrier_hz), blocked)
    return path_loss_db


def los_probability(distance_m: ArrayLike) -> Floats:
    """Probability of line of sight, TR 38.901 table 7.4.2-1, from the 2-D distance."""
    distance_2d_m = np.asarray(distance_m, dtype=float)
    near = np.minimum(1.0, 18 / np.maximum(distance_2d_m, 18))
    probability: Floats = near + np.exp(-distance_2d_m / 36) * (1 - near)
    return probability


def draw_shadowing_db(line_of_sight: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """A fresh log-normal shadowing value (dB) for each user."""
    sigma_db = np.where(line_of_sight, LOS_SHADOWING_DB, NLOS_SHADOWING_DB)
    return sigma_db * rng.standard_normal(line_of_sight.shape)


def moved_shadowing_db(
    shadowing_db: Floats,
    moved_m: ArrayLike,
    line_of_sight: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Floats:
    """Shadowing after a walk: exponential autocorrelation over distance, TR 38.901 7.4.4."""
    decorrelation_m = np.where(line_of_sight, LOS_DECORRELATION_M, NLOS_DECORRELATION_M)
    kept = np.exp(-np.asarray(moved_m) / decorrelation_m)
    moved: Floats = kept * shadowing_db + np.sqrt(1 - kept**2) * draw_shadowing_db(
        line_of_sight, rng
    )
    return moved


def noise_power_dbm(bandwidth_hz: ArrayLike, *, noise_figure_db: float = 9.0) -> Floats:
    """Thermal noise in a band at the receiver's input; 9 dB is a phone, 5 dB a base station."""
    noise_dbm: Floats = (
        NOISE_DENSITY_DBM_HZ
        + 10 * np.log10(np.asarray(bandwidth_hz, dtype=float))
        + noise_figure_db
    )
    return noise_dbm


def jakes_correlation(
    speed_m_s: float, interval_s: float, *, carrier_hz: float = CARRIER_HZ
) -> float:
    """Correlation of the complex gain after an interval: J0(2 pi f_D T), f_D = v f / c.

    At 3.5 GHz a walker's channel is forgotten within 100 ms: longer slots are independent.
    """
    doppler_hz = speed_m_s * carrier_hz / SPEED_OF_LIGHT_M_S
    return float(j0(2 * np.pi * doppler_hz * interval_s))


@dataclass(frozen=True)
class NakagamiFading:
    """Nakagami-m fading (integer m; 1 is Rayleigh) that remembers.

    paths: complex gains (m, ...) of m independent Rayleigh paths. The mean of their powers is
    Gamma(m, 1/m) at all times, and each path is a Gauss-Markov process, so both the marginal and
    the correlation are exact: that of the power is the square of the paths'.
    """

    paths: NDArray[np.complexfloating]

    @classmethod
    def draw(cls, shape: tuple[int, ...], rng: np.random.Generator, *, m: int = 1) -> Self:
        """Independent users in the stationary state."""
        if m < 1:
            raise ValueError(f"m must be an integer, 1 or more, got {m}")
        return cls(_complex_normal((m, *shape), rng))

    @property
    def power_gain(self) -> Floats:
        """|h|^2, mean 1, of each user."""
        gain: Floats = (np.abs(self.paths) ** 2).mean(axis=0)
        return gain

    def advanced(self, correlation: ArrayLike, rng: np.random.Generator) -> Self:
        """The channel one step later: h' = rho h + sqrt(1 - rho^2) w, w complex normal."""
        rho = np.asarray(correlation, dtype=float)
        if not (np.abs(rho) <= 1).all():
            raise ValueError(f"a correlation lies in [-1, 1], got {rho}")
        innovation = _complex_normal(self.paths.shape, rng)
        return type(self)(rho * self.paths + np.sqrt(1 - rho**2) * innovation)


def snr(
    tx_power_w: ArrayLike, *, path_loss_db: ArrayLike, power_gain: ArrayLike, noise_dbm: ArrayLike
) -> Floats:
    """Signal-to-noise ratio at the receiver, linear. Shadowing adds to the path loss."""
    loss_db = np.asarray(path_loss_db, dtype=float) + np.asarray(noise_dbm, dtype=float)
    tx_power_mw = 1e3 * np.asarray(tx_power_w, dtype=float)
    ratio: Floats = tx_power_mw * np.asarray(power_gain, dtype=float) * 10 ** (-loss_db / 10)
    return ratio


def spectral_efficiency(snr: ArrayLike, *, highest: float = HIGHEST_SPECTRAL_EFFICIENCY) -> Floats:
    """Shannon's log2(1 + SNR) in bit/s/Hz, capped by the best modulation and code there is."""
    efficiency: Floats = np.minimum(np.log2(1 + np.asarray(snr, dtype=float)), highest)
    return efficiency


def _complex_normal(
    shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.complexfloating]:
    parts = rng.standard_normal((2, *shape)) / np.sqrt(2)
    gains: NDArray[np.complexfloating] = parts[0] + 1j * parts[1]
    return gains


def _checked_distance(distance_m: ArrayLike) -> Floats:
    distances = np.asarray(distance_m, dtype=float)
    if not (distances >= NEAREST_M).all():
        raise ValueError(
            f"UMi path loss holds from {NEAREST_M} m (2-D distance), got {np.min(distances)} m"
        )
    return distances
