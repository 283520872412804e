"""The numbers of SharedDenoising-v0, all in one place, and its easy, standard and hard member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats
from allocator.catalogue import DENOISING_STEPS


@dataclass(frozen=True, kw_only=True)
class SharedDenoisingSettings:
    """Who competes for what. The defaults are the standard member's: a cell of indoor users far
    from saturation.

    groups, users_per_group, slots: G, K and S.
    budget_share: the episode's energy budget as a share of what it would take to draw every
        picture alone on its phone, the dearest way and the best one. Raising it towards 1 makes
        the problem trivial, below about 0.5 no plan fits.
    nearest_m, farthest_m: users' distances are uniform in area between the two.
    wall_loss_db: what the walls between the street and the users cost.
    walking_mps, slot_s: how far a user moves from slot to slot; farther is less predictable.
    extreme_share: users are drawn from this share of the panel, those of the most extreme traits;
        lower means that users disagree more about what is good.
    weakest_dbm, strongest_dbm: range of the edge's power for one user, in whole dB.
    """

    groups: int = 5
    users_per_group: int = 3
    slots: int = 10
    total_steps: int = DENOISING_STEPS
    budget_share: float = 0.6
    nearest_m: float = 20.0
    farthest_m: float = 250.0
    walking_mps: float = 0.3
    slot_s: float = 10.0
    wall_loss_db: float = 20.0
    extreme_share: float = 1.0
    weakest_dbm: int = 3
    strongest_dbm: int = 33

    @property
    def deepest_branch(self) -> int:
        """The phone always runs the last step, so nobody follows farther than this."""
        return self.total_steps - 1

    @property
    def tx_power_levels_dbm(self) -> Floats:
        """(P,) the powers that can be chosen, 1 dB apart."""
        return np.arange(self.weakest_dbm, self.strongest_dbm + 1, dtype=np.float64)

    @property
    def strongest_power(self) -> int:
        """Index of the highest power."""
        return self.strongest_dbm - self.weakest_dbm


EASY = SharedDenoisingSettings(groups=3, budget_share=0.7)
STANDARD = SharedDenoisingSettings()
HARD = SharedDenoisingSettings(
    groups=6,
    users_per_group=4,
    slots=20,
    budget_share=0.55,
    walking_mps=1.4,
    extreme_share=0.5,
)
"""More users, twice the slots to spread a smaller budget over, walkers instead of dawdlers, and
users who disagree more."""

MEMBERS: Mapping[str, SharedDenoisingSettings] = {
    "easy": EASY,
    "standard": STANDARD,
    "hard": HARD,
}
"""The family by name. The sizes were chosen before any agent was trained on them."""
