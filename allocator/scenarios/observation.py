"""What an agent sees: a block a user, a block a group, and one for the whole cell.

Users of a group are interchangeable, and so are groups. The layout says which entries belong to
whom, so that an encoder can share its weights among them and pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Floats
from allocator.catalogue import Catalogue
from allocator.scenarios.budget import Budget
from allocator.scenarios.episodes import Episodes
from allocator.scenarios.physics import Physics
from allocator.scenarios.settings import SharedDenoisingSettings

USER_FEATURES = (
    "best_snr",
    "similarity",
    "reward_alone",
    "reward_shared",
    "phone_step_energy",
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "neuroticism",
)
GROUP_FEATURES = ("size", "mean_similarity", "least_similarity")
CELL_FEATURES = ("budget_left", "budget_left_per_slot", "slots_left")

BOUND = 10.0
"""No observation is larger; most lie within -1 and 1."""


@dataclass(frozen=True)
class ObservationLayout:
    """Where things are in the observation vector: users, then groups, then the cell.

    Each user's features stand together in the order of USER_FEATURES, user after user and group
    after group; each group's in the order of GROUP_FEATURES; then CELL_FEATURES.
    """

    groups: int
    users_per_group: int

    @property
    def user_shape(self) -> tuple[int, int, int]:
        """(G, K, features) of the users' block."""
        return self.groups, self.users_per_group, len(USER_FEATURES)

    @property
    def group_shape(self) -> tuple[int, int]:
        """(G, features) of the groups' block."""
        return self.groups, len(GROUP_FEATURES)

    @property
    def users(self) -> slice:
        """The users' block; reshape to `user_shape`."""
        return slice(0, int(np.prod(self.user_shape)))

    @property
    def by_group(self) -> slice:
        """The groups' block; reshape to `group_shape`."""
        return slice(self.users.stop, self.users.stop + int(np.prod(self.group_shape)))

    @property
    def cell(self) -> slice:
        """The whole cell's block."""
        return slice(self.by_group.stop, self.size)

    @property
    def size(self) -> int:
        """Length of the observation vector."""
        return int(self.by_group.stop) + len(CELL_FEATURES)


def fixed_features(
    episodes: Episodes,
    *,
    catalogue: Catalogue,
    profile: Floats,
    traits: Floats,
    physics: Physics,
) -> Floats:
    """(B, S, users' and groups' blocks) of every slot: all that no action changes.

    profile: (prompts, seeds, 2) the panel's mean reward alone and most shared.
    """
    B, S, G, K = episodes.prompt.shape
    known = profile[episodes.prompt, episodes.seed[..., None]]  # (B, S, G, K, 2)
    similarity = catalogue.similarity[episodes.prompt]
    persona = traits[episodes.persona] / 2  # (B, G, K, 5)
    step_j = physics.phone_step_j / physics.phone_step_j.mean() - 1
    phone = np.broadcast_to(step_j[episodes.phone][:, None], similarity.shape)
    users = np.concatenate(
        [
            np.stack(
                [
                    (physics.best_snr_db(episodes.gain_db) - 10) / 20,
                    2 * similarity - 1,
                    2 * known[..., 0] - 1,
                    2 * known[..., 1] - 1,
                    phone,
                ],
                axis=-1,
            ),
            np.broadcast_to(persona[:, None], (B, S, G, K, persona.shape[-1])),
        ],
        axis=-1,
    )
    size = np.full((B, S, G), K / 4)
    groups = np.stack([size, 2 * similarity.mean(-1) - 1, 2 * similarity.min(-1) - 1], axis=-1)
    return np.concatenate([users.reshape(B, S, -1), groups.reshape(B, S, -1)], axis=-1)


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
