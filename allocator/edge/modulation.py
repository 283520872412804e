"""How often a modulated bit arrives wrong: Gray mapping, nearest-neighbour approximation.

Every scheme here has the bit error rate c Q(sqrt(2 a SNR)), with SNR = Es/N0; c and a are known
per scheme, and the average over Nakagami fading is a closed form (Rayleigh is m = 1).
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import comb, erfc, erfcinv

from allocator.arrays import Floats


class Modulation(Enum):
    """Bits a symbol."""

    BPSK = 1
    QPSK = 2
    QAM16 = 4
    QAM64 = 6

    @property
    def bits_per_symbol(self) -> int:
        """log2 of the number of symbols."""
        return int(self.value)

    @property
    def neighbours(self) -> float:
        """c: neighbouring symbols a bit can be mistaken for. Square QAM: (4/log2 M)(1-1/sqrt M)."""
        if self is Modulation.BPSK:
            return 1.0
        return 4 / self.bits_per_symbol * (1 - 2 ** (-self.bits_per_symbol / 2))

    @property
    def closeness(self) -> float:
        """a: half the squared distance of neighbours. Square QAM: 1.5 / (M - 1)."""
        return 1.0 if self is Modulation.BPSK else 1.5 / (2**self.bits_per_symbol - 1)


def bit_error_rate(modulation: Modulation, snr: ArrayLike) -> Floats:
    """Bit error rate at a known SNR (Es/N0, linear): additive white Gaussian noise."""
    distance = np.sqrt(modulation.closeness * np.asarray(snr, dtype=float))
    rate: Floats = modulation.neighbours * erfc(distance) / 2
    return rate


def snr_of_bit_error_rate(modulation: Modulation, rate: ArrayLike) -> Floats:
    """The SNR (Es/N0, linear) with this bit error rate, above which there are fewer errors."""
    distance = erfcinv(2 * np.asarray(rate, dtype=float) / modulation.neighbours)
    snr: Floats = distance**2 / modulation.closeness
    return snr


def mean_bit_error_rate(modulation: Modulation, mean_snr: ArrayLike, *, m: int = 1) -> Floats:
    """Bit error rate averaged over Nakagami-m fading (integer m) at a mean SNR (Es/N0, linear).

    With mu = sqrt(a G / (m + a G)):
    c ((1-mu)/2)^m sum_{i<m} C(m-1+i, i) ((1+mu)/2)^i   [R-mem for m > 1; checked by quadrature].
    """
    scaled = modulation.closeness * np.asarray(mean_snr, dtype=float)
    mu = np.sqrt(scaled / (m + scaled))
    terms = [comb(m - 1 + i, i) * ((1 + mu) / 2) ** i for i in range(m)]
    rate: Floats = modulation.neighbours * ((1 - mu) / 2) ** m * sum(terms)
    return rate
