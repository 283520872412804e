"""What a decision costs and how well it arrives: the cell's coefficients as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.catalogue import EDGE, QUANTISER_BITS
from allocator.edge.devices import load_profiles
from allocator.edge.link import UncodedLink
from allocator.edge.modulation import Modulation, snr_of_bit_error_rate
from allocator.edge.radio import noise_power_dbm
from allocator.scenarios.actions import Decision
from allocator.scenarios.settings import SharedDenoisingSettings

PHONES = ("phone", "fast_phone")
BANDWIDTH_HZ = 180e3
"""Of each user: one resource block."""

MODULATION = Modulation.BPSK
"""The sturdiest there is: the latent is sent as bits, without a code."""


@dataclass(frozen=True)
class Physics:
    """Seconds and joules of one step and one transmission, and the link's bit errors.

    server_step_j, server_step_s: one shared step of one group at the edge; the groups' requests
    come at different moments of a slot, so each group is a batch of its own.
    phone_step_j, phone_step_s: (phones,) one step on each kind of phone.
    phone_start_j, phone_start_s: (phones,) what a picture takes there besides its steps.
    airtime_s: how long a latent is on the air. radio_j: (P,) what that costs at each power level.
    noise_dbm: noise and interference in a user's band.
    """

    server_step_j: float
    server_step_s: float
    phone_step_j: Floats
    phone_step_s: Floats
    phone_start_j: Floats
    phone_start_s: Floats
    airtime_s: float
    radio_j: Floats
    tx_power_dbm: Floats
    noise_dbm: float

    def snr_db(self, gain_db: Floats, power: Indices | int) -> Floats:
        """The SNR at these powers, elementwise; -1 is the highest."""
        snr_db: Floats = self.tx_power_dbm[power] + gain_db - self.noise_dbm
        return snr_db

    def snr_db_of_bit_error_rate(self, rate: Floats) -> Floats:
        """The SNR at which the uncoded link has this bit error rate, elementwise."""
        snr_db: Floats = 10 * np.log10(snr_of_bit_error_rate(MODULATION, rate))
        return snr_db

    def phone_j(self, phone: Indices, steps: int | Indices) -> Floats:
        """What so many steps of one picture take on these phones, elementwise."""
        joules: Floats = self.phone_start_j[phone] + steps * self.phone_step_j[phone]
        return joules

    def user_joules(self, decision: Decision, phone: Indices, total_steps: int) -> Floats:
        """(B, G, K) each user's own energy: the phone's steps and the latent's way there."""
        sent = np.where(decision.branch > 0, self.radio_j[decision.power], 0.0)
        joules: Floats = self.phone_j(phone, total_steps - decision.branch) + sent
        return joules

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
        own = (total_steps - decision.branch) * self.phone_step_s[phone]
        seconds: Floats = shared + own + self.phone_start_s[phone]
        return seconds


def standard_physics(settings: SharedDenoisingSettings) -> Physics:
    """The cell of the shipped device profiles: Stable Diffusion at the edge and on two phones."""
    profiles = load_profiles()
    edge = profiles.devices[EDGE]
    phones = [profiles.devices[name] for name in PHONES]
    tx_power_w = 1e-3 * 10 ** (settings.tx_power_levels_dbm / 10)
    sent = UncodedLink(MODULATION).transfer(
        profiles.payloads["stable_diffusion"].latent_values * QUANTISER_BITS,
        snr=0.0,
        tx_power_w=tx_power_w,
        bandwidth_hz=BANDWIDTH_HZ,
    )
    return Physics(
        server_step_j=edge.step_seconds(1) * edge.power_w,
        server_step_s=edge.step_seconds(1),
        phone_step_j=np.array([phone.step_seconds(1) * phone.power_w for phone in phones]),
        phone_step_s=np.array([phone.step_seconds(1) for phone in phones]),
        phone_start_j=np.array([phone.seconds_per_picture * phone.power_w for phone in phones]),
        phone_start_s=np.array([phone.seconds_per_picture for phone in phones]),
        airtime_s=float(sent.seconds[0]),
        radio_j=sent.joules / edge.amplifier_efficiency,
        tx_power_dbm=settings.tx_power_levels_dbm,
        noise_dbm=float(noise_power_dbm(BANDWIDTH_HZ)),
    )
