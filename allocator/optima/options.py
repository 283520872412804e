"""What each user of a slot may do, reduced to what can matter.

A reward depends on the transmit power only through the error level at which the latent arrives,
so of all powers with one level only the least can be optimal. Enumerating branch steps and levels
is therefore exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.experience import Cells, UnjudgedError, look_up
from allocator.scenarios.actions import Decision
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.shared_denoising import SharedDenoising


@dataclass(frozen=True)
class SlotOptions:
    """N slots of G groups of K users with T branch steps and E error levels each.

    reward: (N, G, K, T, E) share of the slot's mean reward this user adds. joules: the same shape,
    what the user costs; infinite if the link cannot do that, or the picture was never judged.
    power: (N, G, K, E) the least power index for each level.
    """

    reward: Floats
    joules: Floats
    power: Indices
    server_step_j: float

    def __len__(self) -> int:
        return len(self.reward)

    def decision(self, branch: Indices, level: Indices) -> Decision:
        """(N, G, K) branch steps and error levels as a decision."""
        power = np.take_along_axis(self.power, level[..., None], axis=-1)[..., 0]
        return Decision(branch, np.where(branch > 0, power, 0))


def slot_options(scenario: SharedDenoising, episodes: Episodes) -> SlotOptions:
    """The options of all slots of these episodes, episode after episode: N = B x S.

    Looks up every reward that could be had, so a live experience draws and judges what is missing.
    """
    power, reachable = _least_power(scenario, episodes)
    reward = _rewards(scenario, episodes, reachable)
    joules = _joules(scenario, episodes, power)
    joules[~reachable | np.isnan(reward)] = np.inf
    if not np.isfinite(joules).any(axis=(-2, -1)).all():
        raise UnjudgedError("a user has no judged option at all; is the QoE service ready?")
    users = reward.shape[2] * reward.shape[3]
    return SlotOptions(
        reward=_by_slot(np.nan_to_num(reward) / users),
        joules=_by_slot(joules),
        power=_by_slot(power),
        server_step_j=scenario.physics.server_step_j,
    )


def _least_power(scenario: SharedDenoising, episodes: Episodes) -> tuple[Indices, np.ndarray]:
    """(B, S, G, K, E) least power index for each level; (B, S, G, K, T, E) what is possible."""
    catalogue, settings = scenario.experience.catalogue, scenario.settings
    powers = np.arange(settings.strongest_power + 1)
    gain_db = episodes.gain_db[..., None]
    level = scenario.error_level(gain_db, powers)
    hits = level[..., None, :] == np.arange(len(catalogue.error_levels))[:, None]
    over_the_air = np.repeat(hits.any(axis=-1)[..., None, :], catalogue.total_steps, axis=-2)
    # Who branches at 0 receives nothing, so there is one option and it has no errors.
    over_the_air[..., 0, :] = np.arange(len(catalogue.error_levels)) == 0
    return hits.argmax(axis=-1), over_the_air


def _rewards(scenario: SharedDenoising, episodes: Episodes, reachable: np.ndarray) -> Floats:
    b, s, g, k, branch, level = np.nonzero(reachable)
    cells = Cells(
        prompt=episodes.prompt[b, s, g, k],
        seed=episodes.seed[b, s, g],
        branch=branch,
        error_level=level,
        persona=episodes.persona[b, g, k],
    )
    reward = np.full(reachable.shape, np.nan)
    reward[reachable] = look_up(scenario.experience, cells)
    return reward


def _joules(scenario: SharedDenoising, episodes: Episodes, power: Indices) -> Floats:
    T = scenario.settings.total_steps
    phone = episodes.phone[:, None, :, :, None]
    own = scenario.physics.phone_j(phone, T - np.arange(T))  # (B, 1, G, K, T)
    radio = scenario.physics.radio_j[power][..., None, :] * (np.arange(T) > 0)[:, None]
    joules: Floats = own[..., None] + radio
    return joules


def _by_slot(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, *array.shape[2:])
