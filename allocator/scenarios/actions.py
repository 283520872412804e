"""From actions in [-1, 1] to feasible plans: smooth maps, then whole steps and dB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import tanh

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.scenarios.settings import SharedDenoisingSettings

STEEPNESS = 1.0
LEAN = 0.8
"""Towards sharing: action 0 shares three quarters, so an untrained agent starts near the budget."""


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
        deepest: Indices = reduce(np.maximum, self.branch.T).T  # numpy is slow along short axes
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


def piece(lean: float) -> tuple[float, float]:
    """The sigmoid at both ends of the piece, as floats that leave an array's precision alone."""
    return tanh(STEEPNESS * (lean - 1)), tanh(STEEPNESS * (lean + 1))


def unit(action: NDArray[np.floating], lean: float = 0.0) -> NDArray[np.floating]:
    """[-1, 1] onto [0, 1] along a piece of a sigmoid; strictly increasing and smooth.

    lean: shifts the piece; above 0, an action of 0 means more than a half.
    """
    low, high = piece(lean)
    squashed: NDArray[np.floating] = (np.tanh(STEEPNESS * (lean + action)) - low) / (high - low)
    return squashed


def inverse_unit(share: Floats, lean: float = 0.0) -> Floats:
    """The action that `unit` maps to this share."""
    low, high = piece(lean)
    action: Floats = np.arctanh(low + share * (high - low)) / STEEPNESS - lean
    return action


def decide(
    action: NDArray[np.floating], layout: ActionLayout, settings: SharedDenoisingSettings
) -> Decision:
    """(B, A) actions in [-1, 1] to the decision they mean.

    In single precision, as agents act: its tanh takes a third of the time.
    """
    actions = np.asarray(action, dtype=np.float32)
    by_user = (-1, layout.groups, layout.users_per_group)
    depth = unit(actions[:, layout.shared_steps], LEAN) * settings.deepest_branch  # (B, G)
    follow = unit(actions[:, layout.follow], LEAN).reshape(by_user)
    power = unit(actions[:, layout.power]).reshape(by_user) * settings.strongest_power
    branch = np.rint(np.rint(depth)[..., None] * follow)
    return Decision(branch.astype(np.intp), np.rint(power).astype(np.intp))


def encode(decision: Decision, layout: ActionLayout, settings: SharedDenoisingSettings) -> Floats:
    """The (B, A) action that `decide` maps to this decision."""
    shared = decision.shared_steps  # (B, G)
    follow = decision.branch / np.maximum(shared, 1)[..., None]
    power = decision.power / settings.strongest_power
    parts = (
        inverse_unit(shared / settings.deepest_branch, LEAN),
        inverse_unit(follow.reshape(len(shared), layout.users), LEAN),
        inverse_unit(power.reshape(len(shared), layout.users)),
    )
    return np.concatenate(parts, axis=1)
