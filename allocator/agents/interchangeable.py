"""Networks for users who are interchangeable: one set of weights for all users, one for all groups.

Every user is a token. A token sees its own features, those of its group and of the cell, and means
over its group and over everyone; so renaming users or groups renames the actions and changes
nothing else, and what is learned from one user holds for all. Critics are also told what an action
means, see `Layout.plan_tokens`.

Shapes: B observations, G groups, K users in a group, W the width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from allocator.agents.layout import ACTION_FEATURES, PLAN_FEATURES, Layout


class Mixing(nn.Module):
    """One layer: a token's features, its group's mean and everyone's, then `activation`."""

    def __init__(self, features: int, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.own = nn.Linear(features, width)
        self.others = nn.Linear(2 * features, width, bias=False)
        self.activation = activation()

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, G, K, features) to (B, G, K, W)."""
        group = tokens.mean(dim=2)
        everyone = group.mean(dim=1, keepdim=True).expand_as(group)
        others = self.others(torch.cat([group, everyone], dim=-1))
        return self.activation(self.own(tokens) + others[:, :, None])  # type: ignore[no-any-return]


class ActionHead(nn.Module):
    """Tokens to the logits of an action: a group's from its mean, a user's from the token."""

    def __init__(self, width: int, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.group, self.user = nn.Linear(width, 1), nn.Linear(width, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, G, K, W) to (B, action)."""
        return self.layout.action_of(linear(tokens, *self.weights()))

    def weights(self) -> tuple[Tensor, Tensor]:
        """(3, W) and (3,): of the group's entry and of the user's two."""
        weight = torch.cat([self.group.weight, self.user.weight])
        return weight, torch.cat([self.group.bias, self.user.bias])


class ValueHead(nn.Module):
    """Tokens to the value of the whole."""

    def __init__(self, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.whole = nn.Sequential(nn.Linear(width, width), activation(), nn.Linear(width, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, G, K, W) to (B, 1)."""
        return self.whole(tokens.mean(dim=(1, 2)))  # type: ignore[no-any-return]


class StateTokens(nn.Module):
    """`Layout.state_tokens` as a layer."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, observation: Tensor) -> Tensor:
        """(B, observation) to (B, G, K, state_features)."""
        return self.layout.state_tokens(observation)


class UserwiseEncoder(nn.Sequential):
    """(B, observation) to tokens (B, G, K, W)."""

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__(
            StateTokens(layout),
            Mixing(layout.state_features, width, activation),
            Mixing(width, width, activation),
        )


class UserwiseActor(nn.Sequential):
    """Observation to the logits of an action: the MLP actor's counterpart."""

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__(UserwiseEncoder(layout, width, activation), ActionHead(width, layout))


class UserwiseCritic(nn.Sequential):
    """Plan tokens (B, G, K, state and plan features) to (B, 1): what is made of all of them."""

    def __init__(self, layout: Layout, width: int, activation: type[nn.Module]) -> None:
        super().__init__(
            Mixing(layout.state_features + PLAN_FEATURES, width, activation),
            Mixing(width, width, activation),
            ValueHead(width, activation),
        )


class UserwiseDenoiser(nn.Module):
    """The chain's network for users who are interchangeable; see `diffusion_actor.Denoiser`."""

    averages: Tensor

    def __init__(self, layout: Layout, width: int, steps: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.layout = layout
        self.encode = nn.Sequential(
            StateTokens(layout),
            Mixing(layout.state_features, width, activation),
            nn.Linear(width, width),
        )
        self.action_in = nn.Linear(ACTION_FEATURES, width, bias=False)
        self.step_in = nn.Embedding(steps, width)
        nn.init.normal_(self.step_in.weight, std=0.1)
        self.mix, self.head = Mixing(width, width, activation), ActionHead(width, layout)
        self.register_buffer("averages", averaging(*layout.grid), persistent=False)

    def forward(self, observation: Tensor) -> Callable[[Tensor, int], Tensor]:
        """The network for these (B, observation): noisy actions (B, action) and a step to logits.

        A step is `head(mix(activate(state + action_in(action tokens))))` in as few operations as
        can be, for they are what a decision waits for: the mixing's means are one product.
        """
        states = self.encode(observation)[None] + self.step_in.weight[:, None, None, None]
        steps, shape = states.flatten(1, 3).unbind(), states.shape[1:-1]  # N of (B x G x K, W)
        users, width = self.averages.shape[1], states.shape[-1]
        activate, action_in = self.mix.activation, self.action_in.weight.t()
        mix = torch.cat([self.mix.own.weight, self.mix.others.weight], dim=1).t()
        bias, out = self.mix.own.bias, self.head.weights()

        def logits(noisy: Tensor, step: int) -> Tensor:
            tokens = self.layout.action_tokens(noisy).view(-1, ACTION_FEATURES)
            met = activate(torch.addmm(steps[step], tokens, action_in))
            seen = (self.averages @ met.view(-1, users, width)).view(-1, 3 * width)
            mixed = activate(torch.addmm(bias, seen, mix))
            return self.layout.action_of(linear(mixed, *out).view(*shape, ACTION_FEATURES))

        return logits


def averaging(groups: int, users: int) -> Tensor:
    """(G x K x 3, G x K): of each token itself, the mean of its group, and that of everyone."""
    size = groups * users
    group = torch.kron(torch.eye(groups), torch.full((users, users), 1 / users))
    everyone = torch.full((size, size), 1 / size)
    return torch.stack([torch.eye(size), group, everyone], dim=1).flatten(0, 1)
