"""What a decision costs and how well it arrives: the cell's coefficients as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erfc

from allocator.arrays import Floats, Indices
from allocator.scenarios.actions import Decision
from allocator.scenarios.settings import SharedDenoisingSettings


@dataclass(frozen=True)
class Physics:
    """Seconds and joules of one step and one transmission, and the link's bit errors.

    server_step_j, server_step_s: one shared step of one group at the edge.
    phone_step_j, phone_step_s: (phones,) one step on each kind of phone.
    airtime_s: how long a latent is on the air. radio_j: (P,) what that costs at each power level.
    noise_dbm: noise and interference in a user's band.
    """

    server_step_j: float
    server_step_s: float
    phone_step_j: Floats
    phone_step_s: Floats
    airtime_s: float
    radio_j: Floats
    tx_power_dbm: Floats
    noise_dbm: float

    def bit_error_rate(self, gain_db: Floats, power: Indices) -> Floats:
        """Of the uncoded link, elementwise."""
        snr_db = self.tx_power_dbm[power] + gain_db - self.noise_dbm
        rate: Floats = 0.5 * erfc(np.sqrt(10 ** (snr_db / 10)))
        return rate

    def best_snr_db(self, gain_db: Floats) -> Floats:
        """The SNR at the highest power."""
        snr_db: Floats = self.tx_power_dbm[-1] + gain_db - self.noise_dbm
        return snr_db

    def user_joules(self, decision: Decision, phone: Indices, total_steps: int) -> Floats:
        """(B, G, K) each user's own energy: the phone's steps and the latent's way there."""
        sent = np.where(decision.branch > 0, self.radio_j[decision.power], 0.0)
        joules: Floats = (total_steps - decision.branch) * self.phone_step_j[phone]
        return joules + sent

    def joules(self, decision: Decision, phone: Indices, total_steps: int) -> Floats:
        """(B,) energy of a slot."""
        at_users = self.user_joules(decision, phone, total_steps).sum(axis=(1, 2))
        at_edge = self.server_step_j * decision.shared_steps.sum(axis=1)
        total: Floats = at_users + at_edge
        return total

    def latency_s(self, decision: Decision, phone: Indices, total_steps: int) -> Floats:
        """(B, G, K) seconds from the request to each user's finished picture."""
        followed = decision.branch > 0
        shared = decision.branch * self.server_step_s + np.where(followed, self.airtime_s, 0.0)
        own: Floats = (total_steps - decision.branch) * self.phone_step_s[phone]
        return shared + own


def standard_physics(settings: SharedDenoisingSettings) -> Physics:
    """The cell every default scenario lives in."""
    power_dbm = settings.tx_power_levels_dbm
    bandwidth_hz = 180e3
    airtime_s = 131_072 / bandwidth_hz
    return Physics(
        server_step_j=10.0,
        server_step_s=0.05,
        phone_step_j=np.array([7.2, 19.8]),
        phone_step_s=np.array([0.72, 4.94]),
        airtime_s=airtime_s,
        radio_j=10 ** (power_dbm / 10) / 1000 / 0.25 * airtime_s,
        tx_power_dbm=power_dbm,
        noise_dbm=-174 + 10 * np.log10(bandwidth_hz) + 9,
    )
