"""Networks for users who are interchangeable: one set of weights for all users, one for all groups.

Every user is a token. A token sees its own features, those of its group and of the cell, and means
over its group and over everyone; so renaming users or groups renames the actions and changes
nothing else, and what is learned from one user holds for all.

Shapes: B observations, G groups, K users in a group, W the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


class ObservationLayout(Protocol):
    """Where things are in an observation: users, then groups, then the cell."""

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
    """The two layouts of one scenario, and how flat vectors become tokens and back."""

    observation: ObservationLayout
    action: ActionLayout

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
        layout = self.observation
        users = observation[:, layout.users].unflatten(1, layout.user_shape)
        groups = observation[:, layout.by_group].unflatten(1, layout.group_shape)
        cell = observation[:, None, None, layout.cell].expand(-1, *self.grid, -1)
        return torch.cat([users, groups[:, :, None].expand(-1, -1, self.grid[1], -1), cell], dim=-1)

    def action_tokens(self, action: Tensor) -> Tensor:
        """(B, action) to (B, G, K, 3): the group's entry beside the user's two."""
        shared = action[:, self.action.shared_steps, None].expand(-1, -1, self.grid[1])
        follow = action[:, self.action.follow].unflatten(1, self.grid)
        power = action[:, self.action.power].unflatten(1, self.grid)
        return torch.stack([shared, follow, power], dim=-1)

    def action_vector(self, shared: Tensor, by_user: Tensor) -> Tensor:
        """(B, G) and (B, G, K, 2) to (B, action)."""
        return torch.cat([shared, by_user[..., 0].flatten(1), by_user[..., 1].flatten(1)], dim=1)


class Mixing(nn.Module):
    """One layer: a token's features, its group's mean and everyone's, then `activation`."""

    def __init__(self, features: int, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.own = nn.Linear(features, width)
        self.group = nn.Linear(features, width, bias=False)
        self.everyone = nn.Linear(features, width, bias=False)
        self.activation = activation()

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, G, K, features) to (B, G, K, W)."""
        group = tokens.mean(dim=2, keepdim=True)
        everyone = group.mean(dim=1, keepdim=True)
        mixed = self.own(tokens) + self.group(group) + self.everyone(everyone)
        return self.activation(mixed)  # type: ignore[no-any-return]


class ActionHead(nn.Module):
    """Tokens to the logits of an action: a group's from its mean, a user's from the token."""

    def __init__(self, width: int, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.group, self.user = nn.Linear(width, 1), nn.Linear(width, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, G, K, W) to (B, action)."""
        shared = self.group(tokens.mean(dim=2)).squeeze(-1)
        return self.layout.action_vector(shared, self.user(tokens))


class UserwiseActor(nn.Sequential):
    """Observation to the logits of an action: the MLP actor's counterpart."""

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__(
            StateTokens(layout),
            Mixing(layout.state_features, width, activation),
            Mixing(width, width, activation),
            ActionHead(width, layout),
        )


class UserwiseCritic(nn.Module):
    """Observation and action, side by side, to (B, 1): the mean of the users' shares plus a term
    that sees everyone at once, such as what the whole cell spends.
    """

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.layout = layout
        self.mix = nn.Sequential(
            Mixing(layout.state_features + 3, width, activation), Mixing(width, width, activation)
        )
        self.whole = nn.Sequential(nn.Linear(width, width), activation(), nn.Linear(width, 1))

    def forward(self, observation_and_action: Tensor) -> Tensor:
        """(B, observation + action) to (B, 1)."""
        size = self.layout.observation.size
        state = self.layout.state_tokens(observation_and_action[:, :size])
        action = self.layout.action_tokens(observation_and_action[:, size:])
        tokens = self.mix(torch.cat([state, action], dim=-1))
        return self.whole(tokens.mean(dim=(1, 2)))  # type: ignore[no-any-return]


class StateTokens(nn.Module):
    """`Layout.state_tokens` as a layer."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, observation: Tensor) -> Tensor:
        """(B, observation) to (B, G, K, state_features)."""
        return self.layout.state_tokens(observation)


class UserwiseDenoiser(nn.Module):
    """The chain's network for users who are interchangeable; see `diffusion_actor.Denoiser`."""

    def __init__(self, layout: Layout, width: int, steps: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.layout = layout
        self.encode = nn.Sequential(
            StateTokens(layout),
            Mixing(layout.state_features, width, activation),
            nn.Linear(width, width),
        )
        self.action_in = nn.Linear(3, width, bias=False)
        self.step_in = nn.Embedding(steps, width)
        nn.init.normal_(self.step_in.weight, std=0.1)
        self.denoise = nn.Sequential(
            activation(), Mixing(width, width, activation), ActionHead(width, layout)
        )

    def forward(self, state: Tensor, noisy: Tensor, step: int) -> Tensor:
        """State tokens (B, G, K, W) and noisy actions (B, action) to logits (B, action)."""
        action = self.action_in(self.layout.action_tokens(noisy))
        return self.denoise(state + action + self.step_in.weight[step])  # type: ignore[no-any-return]
