"""From actions in [-1, 1] to feasible plans: smooth maps, then whole steps and dB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.scenarios.settings import SharedDenoisingSettings

STEEPNESS = 2.0
"""Of the sigmoid: 2 keeps a fifth of its slope at the ends of [-1, 1]."""


@dataclass(frozen=True)
class Decision:
    """What was decided for one slot of B episodes.

    branch: (B, G, K) steps each user takes along the shared path.
    power: (B, G, K) index into the settings' `tx_power_levels_dbm`.
    """

    branch: Indices
    power: Indices

    @property
    def shared_steps(self) -> Indices:
        """(B, G) steps the edge runs for each group: as deep as its deepest user."""
        deepest: Indices = self.branch.max(axis=-1)
        return deepest


@dataclass(frozen=True)
class ActionLayout:
    """Where things are in the action vector: `G` group entries, then `G x K` and `G x K` users'.

    | entries       | meaning                                         | -1          | +1          |
    |---------------|-------------------------------------------------|-------------|-------------|
    | 0 .. G-1      | the group's shared steps                        | 0           | T - 1       |
    | next G x K    | how far each user follows, of the shared steps  | none        | all         |
    | last G x K    | the power that sends the latent to the user     | least power | most power  |
    """

    groups: int
    users_per_group: int

    @property
    def users(self) -> int:
        """All users."""
        return self.groups * self.users_per_group

    @property
    def size(self) -> int:
        """Length of the action vector."""
        return self.groups + 2 * self.users

    @property
    def shared_steps(self) -> slice:
        """The groups' shared steps."""
        return slice(0, self.groups)

    @property
    def follow(self) -> slice:
        """How far each user follows; reshape to (G, K)."""
        return slice(self.groups, self.groups + self.users)

    @property
    def power(self) -> slice:
        """Each user's power; reshape to (G, K)."""
        return slice(self.groups + self.users, self.size)


def unit(action: Floats) -> Floats:
    """[-1, 1] onto [0, 1] along a sigmoid, ends included; strictly increasing and smooth."""
    end = np.tanh(STEEPNESS / 2)
    squashed: Floats = (np.tanh(STEEPNESS / 2 * action) / end + 1) / 2
    return squashed


def decide(
    action: NDArray[np.floating], layout: ActionLayout, settings: SharedDenoisingSettings
) -> Decision:
    """(B, A) actions in [-1, 1] to the decision they mean."""
    share = unit(np.asarray(action, dtype=np.float64))
    by_user = (-1, layout.groups, layout.users_per_group)
    shared = np.rint(share[:, layout.shared_steps] * settings.deepest_branch)  # (B, G)
    follow = share[:, layout.follow].reshape(by_user)
    branch = np.rint(shared[..., None] * follow)
    power = np.rint(share[:, layout.power].reshape(by_user) * settings.strongest_power)
    return Decision(branch.astype(np.intp), power.astype(np.intp))


def encode(decision: Decision, layout: ActionLayout, settings: SharedDenoisingSettings) -> Floats:
    """The (B, A) action that `decide` maps to this decision: its exact inverse."""
    shared = decision.shared_steps
    follow = decision.branch / np.maximum(shared, 1)[..., None]
    shares = np.concatenate(
        [
            shared / settings.deepest_branch,
            follow.reshape(len(shared), -1),
            (decision.power / settings.strongest_power).reshape(len(shared), -1),
        ],
        axis=1,
    )
    end = np.tanh(STEEPNESS / 2)
    action: Floats = 2 / STEEPNESS * np.arctanh((2 * shares - 1) * end)
    return action
