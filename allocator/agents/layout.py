"""How flat observations and actions become tokens, one a user, and what an action means to each.

Shapes: B observations, G groups, K users in a group, T denoising steps, E error levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

import torch
from torch import Tensor

from allocator.scenarios.actions import LEAN, STEEPNESS, piece
from allocator.scenarios.observation import SNR_UNIT_DB, SNR_ZERO_DB

if TYPE_CHECKING:
    from allocator.scenarios.shared_denoising import SharedDenoising

ACTION_FEATURES, PLAN_FEATURES = 3, 9
"""Of an action token, and what a plan token has beyond a state token."""

SOFT_EDGE_DB = 1.0
"""How softly one error level passes into the next, for a gradient to see where the edge is."""


class ObservationLayout(Protocol):
    """Where things are in an observation: users, then groups, then the cell."""

    @property
    def best_snr(self) -> int: ...
    @property
    def profile(self) -> slice: ...
    @property
    def profile_shape(self) -> tuple[int, int]: ...
    @property
    def phone_energy(self) -> int: ...
    @property
    def user_shape(self) -> tuple[int, int, int]: ...
    @property
    def group_shape(self) -> tuple[int, int]: ...
    @property
    def users(self) -> slice: ...
    @property
    def by_group(self) -> slice: ...
    @property
    def cell(self) -> slice: ...
    @property
    def size(self) -> int: ...


class ActionLayout(Protocol):
    """Where things are in an action: an entry a group, then two entries a user."""

    @property
    def shared_steps(self) -> slice: ...
    @property
    def follow(self) -> slice: ...
    @property
    def power(self) -> slice: ...


@dataclass(frozen=True)
class Layout:
    """The two layouts of one scenario, and how flat vectors become tokens and back.

    power_range_db: from the least to the highest power. level_edges_db: (E - 1) SNRs, rising; with
    each that is missed the error level is one higher.
    """

    observation: ObservationLayout
    action: ActionLayout
    power_range_db: float
    level_edges_db: tuple[float, ...]

    @classmethod
    def of(cls, scenario: SharedDenoising) -> Self:
        """A scenario's."""
        power_range_db = scenario.settings.strongest_dbm - scenario.settings.weakest_dbm
        edges_db = tuple(scenario.level_edges_db.tolist())
        return cls(scenario.observations, scenario.actions, power_range_db, edges_db)

    @property
    def grid(self) -> tuple[int, int]:
        """(G, K)."""
        return self.observation.user_shape[:2]

    @property
    def state_features(self) -> int:
        """How many features a token has before any action."""
        layout = self.observation
        cell: int = layout.cell.stop - layout.cell.start
        return layout.user_shape[2] + layout.group_shape[1] + cell

    def state_tokens(self, observation: Tensor) -> Tensor:
        """(B, observation) to (B, G, K, state_features)."""
        tokens = observation.index_select(1, self._state_places.to(observation.device))
        return tokens.view(-1, *self.grid, self.state_features)

    def action_tokens(self, action: Tensor) -> Tensor:
        """(B, action) to (B, G, K, 3): the group's entry beside the user's two."""
        return (action @ self._spread.to(action)).view(-1, *self.grid, ACTION_FEATURES)

    def action_of(self, tokens: Tensor) -> Tensor:
        """(B, G, K, 3) to (B, action): what `action_tokens` undoes; a group's entry is a mean."""
        return tokens.flatten(1) @ self._gather.to(tokens)

    @cached_property
    def _state_places(self) -> Tensor:
        """(G x K x state_features,) where each token's features stand in an observation."""
        layout, (groups, users) = self.observation, self.grid
        places = torch.arange(layout.size)
        by_user = places[layout.users].view(layout.user_shape)
        by_group = places[layout.by_group].view(groups, 1, -1).expand(-1, users, -1)
        cell = places[layout.cell].expand(groups, users, -1)
        return torch.cat([by_user, by_group, cell], dim=-1).flatten()

    @cached_property
    def _spread(self) -> Tensor:
        """(action, G x K x 3): actions times this are their tokens. One product is fast."""
        groups, users = self.grid
        places = torch.arange(self.action.power.stop)
        shared = places[self.action.shared_steps].view(groups, 1).expand(-1, users)
        follow, power = (
            places[entries].view(groups, users)
            for entries in (self.action.follow, self.action.power)
        )
        tokens = torch.stack([shared, follow, power], dim=-1).flatten()
        return torch.eye(len(places))[:, tokens]

    @cached_property
    def _gather(self) -> Tensor:
        """(G x K x 3, action): tokens times this are actions."""
        return (self._spread / self._spread.sum(dim=1, keepdim=True)).t().contiguous()

    def plan_tokens(self, observation: Tensor, action: Tensor) -> Tensor:
        """(B, observation) and (B, action) to (B, G, K, state_features + PLAN_FEATURES).

        The state tokens, the action tokens, and what the action means: before anything is
        rounded, the share of the steps that is shared with the edge and the deepest of the group,
        the share of the power's range, the SNR, the panel's reward at that depth and SNR, and the
        energy of the steps left to the phone.
        """
        state, tokens = self.state_tokens(observation), self.action_tokens(action)
        seen = self.observation
        shared, follow, power = tokens.unbind(dim=-1)
        depth = smooth_unit(shared, LEAN) * smooth_unit(follow, LEAN)
        deepest = depth.amax(dim=2, keepdim=True).expand_as(depth)
        strength = smooth_unit(power)
        snr = state[..., seen.best_snr] - (1 - strength) * self.power_range_db / SNR_UNIT_DB
        profile = state[..., seen.profile].unflatten(-1, seen.profile_shape)
        reward = interpolated(profile, depth, self.error_level(snr))
        own_energy = (1 - depth) * (1 + state[..., seen.phone_energy])
        meaning = torch.stack([depth, deepest, strength, snr, reward, own_energy], dim=-1)
        return torch.cat([state, tokens, meaning], dim=-1)

    def error_level(self, snr: Tensor) -> Tensor:
        """Observed SNRs to error levels between 0 and E - 1, softly."""
        edges_db = torch.tensor(self.level_edges_db, dtype=snr.dtype)
        below_db = edges_db - SNR_ZERO_DB - SNR_UNIT_DB * snr[..., None]
        return torch.sigmoid(below_db / SOFT_EDGE_DB).sum(dim=-1)


def smooth_unit(action: Tensor, lean: float = 0.0) -> Tensor:
    """`scenarios.actions.unit` for tensors."""
    low, high = piece(lean)
    return (torch.tanh(STEEPNESS * (lean + action)) - low) / (high - low)


def interpolated(profile: Tensor, depth: Tensor, level: Tensor) -> Tensor:
    """Profiles (..., T, E) at depths in [0, 1], the ends of T, and levels in [0, E - 1]."""
    steps, levels = profile.shape[-2:]
    by_level = torch.matmul(hats((steps - 1) * depth, steps)[..., None, :], profile)
    return torch.matmul(by_level, hats(level, levels)[..., None])[..., 0, 0]


def hats(place: Tensor, count: int) -> Tensor:
    """(..., count) weights of linear interpolation between entries 0, 1, ... count - 1."""
    return torch.relu(1 - (place[..., None] - torch.arange(count, dtype=place.dtype)).abs())
