"""Two kinds of link that carry a latent: bits that arrive wrong, or blocks that arrive late.

`UncodedLink` sends bits as they are; a bad channel flips some of them. `CodedLink` sends coded
blocks and repeats those that are lost; a bad channel costs seconds and joules, not errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from allocator.arrays import Floats
from allocator.edge.modulation import Modulation, bit_error_rate


@dataclass(frozen=True)
class Transfer:
    """What sending a payload comes to, per user; seconds and joules are expectations.

    bits: sent over the air, repeated blocks included. joules: spent by the transmitter.
    bit_error_rate: of what arrives. loss_probability: that it does not arrive at all; then there
    is no latent to go on from and the plan cannot be run as it stands.
    """

    seconds: Floats
    joules: Floats
    bits: Floats
    bit_error_rate: Floats
    loss_probability: Floats

    def arrives(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw for each user whether the payload arrives."""
        return rng.random(self.loss_probability.shape) >= self.loss_probability


class Link(Protocol):
    """A way to send bits."""

    def transfer(
        self,
        payload_bits: ArrayLike,
        *,
        snr: ArrayLike,
        tx_power_w: ArrayLike,
        bandwidth_hz: ArrayLike,
    ) -> Transfer:
        """Send each user's payload at this SNR (linear, fading included), power and bandwidth."""


@dataclass(frozen=True)
class UncodedLink:
    """One symbol per second and hertz, sent once. Everything arrives, some bits flipped."""

    modulation: Modulation = Modulation.QPSK

    def transfer(
        self,
        payload_bits: ArrayLike,
        *,
        snr: ArrayLike,
        tx_power_w: ArrayLike,
        bandwidth_hz: ArrayLike,
    ) -> Transfer:
        """Seconds follow from the modulation alone; the channel shows in the bit error rate."""
        bits, ratio, power_w, band_hz = _per_user(payload_bits, snr, tx_power_w, bandwidth_hz)
        seconds = bits / (band_hz * self.modulation.bits_per_symbol)
        errors = bit_error_rate(self.modulation, ratio)
        return Transfer(seconds, power_w * seconds, bits, errors, np.zeros_like(bits))


@dataclass(frozen=True)
class CodedLink:
    """Coded blocks, each repeated until it arrives or `most_attempts` are used up.

    spectral_efficiency: bit/s/Hz of the modulation and code in use; higher is faster and loses
    more. A block is lost with the probability of the best code of its length (`block_loss`),
    anew at each attempt. If any block is still lost after the last attempt, the payload is: the
    other blocks have been sent and paid for all the same.
    """

    spectral_efficiency: float = 2.0
    block_bits: int = 1024
    most_attempts: int = 4

    def __post_init__(self) -> None:
        for name in ("spectral_efficiency", "block_bits", "most_attempts"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")

    def transfer(
        self,
        payload_bits: ArrayLike,
        *,
        snr: ArrayLike,
        tx_power_w: ArrayLike,
        bandwidth_hz: ArrayLike,
    ) -> Transfer:
        """A block takes 1 + p + ... + p^(A-1) attempts in the mean and is lost at last by p^A."""
        bits, ratio, power_w, band_hz = _per_user(payload_bits, snr, tx_power_w, bandwidth_hz)
        loss = self.block_loss(ratio)
        attempts = sum(loss**attempt for attempt in range(self.most_attempts))
        blocks = np.ceil(bits / self.block_bits)
        sent_bits = blocks * self.block_bits * attempts
        seconds = sent_bits / (band_hz * self.spectral_efficiency)
        lost = 1 - (1 - loss**self.most_attempts) ** blocks
        return Transfer(seconds, power_w * seconds, sent_bits, np.zeros_like(bits), lost)

    def block_loss(self, snr: ArrayLike) -> Floats:
        """Probability that one attempt fails: the normal approximation for short blocks.

        Q(sqrt(n / V) (C - R)) with n complex symbols, C = log2(1+SNR), R the spectral efficiency
        and dispersion V = (1 - 1/(1+SNR)^2) log2(e)^2 (Polyanskiy, Poor and Verdu 2010).
        """
        ratio = np.asarray(snr, dtype=float)
        symbols = self.block_bits / self.spectral_efficiency
        dispersion = np.maximum(1 - 1 / (1 + ratio) ** 2, 1e-12) * np.log2(np.e) ** 2
        margin = np.log2(1 + ratio) - self.spectral_efficiency
        loss: Floats = norm.sf(np.sqrt(symbols / dispersion) * margin)
        return loss


def _per_user(*quantities: ArrayLike) -> list[Floats]:
    arrays = np.broadcast_arrays(*(np.asarray(quantity, dtype=float) for quantity in quantities))
    names = ("payload_bits", "snr", "tx_power_w", "bandwidth_hz")
    for name, array in zip(names, arrays, strict=True):
        if not (np.isfinite(array) & (array >= 0)).all():
            raise ValueError(f"{name} must be finite and 0 or more, got {array}")
    if not (arrays[3] > 0).all():
        raise ValueError(f"bandwidth_hz must be above 0, got {arrays[3]}")
    return list(arrays)
