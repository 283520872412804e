"""What an agent sees: a block a user, a block a group, and one for the whole cell.

Users of a group are interchangeable, and so are groups. The layout says which entries belong to
whom, so that an encoder can share its weights among them and pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats
from allocator.catalogue import Catalogue
from allocator.scenarios.budget import Budget
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.physics import Physics
from allocator.scenarios.settings import SharedDenoisingSettings

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
GROUP_FEATURES = ("size", "mean_similarity", "least_similarity")
CELL_FEATURES = ("budget_left", "budget_left_per_slot", "slots_left")

SNR_ZERO_DB, SNR_UNIT_DB = 10.0, 20.0
"""An SNR is observed as (dB - zero) / unit."""

BOUND = 10.0
"""No observation is larger; most lie within -1 and 1."""


@dataclass(frozen=True)
class ObservationLayout:
    """Where things are in the observation vector: users, then groups, then the cell.

    Each user's features stand together in the order of `user_features`, user after user and group
    after group; each group's in the order of GROUP_FEATURES; then CELL_FEATURES.
    """

    groups: int
    users_per_group: int
    total_steps: int
    error_levels: int

    @property
    def user_features(self) -> tuple[str, ...]:
        """What is seen of a user: among it the panel's reward for each way to draw the picture."""
        profile = (
            f"reward_{steps}_shared_{level}_level"
            for steps, level in product(range(self.total_steps), range(self.error_levels))
        )
        return ("best_snr", "similarity", *profile, "phone_step_energy", *TRAITS)

    @property
    def best_snr(self) -> int:
        """Among a user's features: the SNR at the highest power, in units of SNR_UNIT_DB."""
        return 0

    @property
    def profile(self) -> slice:
        """Among a user's features: the panel's rewards; reshape to `profile_shape`."""
        return slice(2, self.phone_energy)

    @property
    def profile_shape(self) -> tuple[int, int]:
        """(T, E) shared steps, and error levels of the latent that crosses the air."""
        return self.total_steps, self.error_levels

    @property
    def phone_energy(self) -> int:
        """Among a user's features: the energy of a step on the phone, 0 being the mean phone's."""
        return 2 + prod(self.profile_shape)

    @property
    def user_shape(self) -> tuple[int, int, int]:
        """(G, K, features) of the users' block."""
        return self.groups, self.users_per_group, self.phone_energy + 1 + len(TRAITS)

    @property
    def group_shape(self) -> tuple[int, int]:
        """(G, features) of the groups' block."""
        return self.groups, len(GROUP_FEATURES)

    @cached_property
    def users(self) -> slice:
        """The users' block; reshape to `user_shape`."""
        return slice(0, prod(self.user_shape))

    @cached_property
    def by_group(self) -> slice:
        """The groups' block; reshape to `group_shape`."""
        return slice(self.users.stop, self.users.stop + prod(self.group_shape))

    @cached_property
    def cell(self) -> slice:
        """The whole cell's block."""
        return slice(self.by_group.stop, self.size)

    @cached_property
    def size(self) -> int:
        """Length of the observation vector."""
        return prod(self.user_shape) + prod(self.group_shape) + len(CELL_FEATURES)


@dataclass(frozen=True)
class Known:
    """What is seen of prompts, personas and phones: rows to look up, about unit scale.

    prompts: (prompts, 1 + T x E) similarity to the public prompt, and the panel's rewards by steps
    shared and error level. personas: (personas, 5) traits. phones: (kinds,) energy of a step.
    """

    prompts: NDArray[np.float32]
    personas: NDArray[np.float32]
    phones: NDArray[np.float32]


def known_of(catalogue: Catalogue, profile: Floats, traits: Floats, physics: Physics) -> Known:
    """profile: (prompts, T, E) the panel's mean rewards; traits: z-scores."""
    by_prompt = profile.reshape(len(profile), -1)
    prompts = 2 * np.column_stack([catalogue.similarity, by_prompt]) - 1
    phones = physics.phone_step_j / physics.phone_step_j.mean() - 1
    return Known(
        prompts.astype(np.float32),
        (traits / 2).astype(np.float32),
        phones.astype(np.float32),
    )


def observations(
    layout: ObservationLayout, episodes: Episodes, slot: int, known: Known, physics: Physics
) -> NDArray[np.float32]:
    """(B, observation) of a slot, but for the cell's features, which actions change."""
    seen = np.empty((len(episodes), layout.size), np.float32)
    users = seen[:, layout.users].reshape(-1, *layout.user_shape)  # a view, as `groups` is
    prompts = known.prompts.take(episodes.prompt[:, slot], axis=0)
    best_snr_db = physics.snr_db(episodes.gain_db[:, slot], -1)
    users[..., layout.best_snr] = (best_snr_db - SNR_ZERO_DB) / SNR_UNIT_DB
    users[..., layout.best_snr + 1 : layout.phone_energy] = prompts
    users[..., layout.phone_energy] = known.phones.take(episodes.phone)
    users[..., layout.phone_energy + 1 :] = known.personas.take(episodes.persona, axis=0)
    groups = seen[:, layout.by_group].reshape(-1, *layout.group_shape)
    similarity = prompts[..., 0].T  # (K, G, B): numpy is slow along short last axes
    groups[..., 0] = layout.users_per_group / 4
    groups[..., 1] = (reduce(np.add, similarity) / layout.users_per_group).T
    groups[..., 2] = reduce(np.minimum, similarity).T
    return seen


def cell_features(
    spent_j: Floats, budget: Budget, slot: int, settings: SharedDenoisingSettings
) -> Floats:
    """(B, cell) what is left of the budget and of the episode, about unit scale.

    `budget_left_per_slot` is relative to drawing everything alone; at the end it is what is left
    for the last slot.
    """
    left_j = budget.joules - spent_j
    slots_left = settings.slots - slot
    per_slot = left_j / (max(slots_left, 1) * budget.alone_j)
    time = np.full_like(left_j, slots_left / settings.slots)
    return np.stack([left_j / budget.joules, 2 * per_slot - 1, time], axis=-1)
