"""Users and groups are interchangeable: renaming them renames the actions and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from allocator.agents.interchangeable import (
    UserwiseActor,
    UserwiseCritic,
    UserwiseDenoiser,
)
from allocator.agents.layout import Layout
from allocator.scenarios.actions import ActionLayout
from allocator.scenarios.observation import ObservationLayout

torch.set_num_threads(1)

GROUPS, USERS = 3, 2
LAYOUT = Layout(
    ObservationLayout(GROUPS, USERS, 10, 4), ActionLayout(GROUPS, USERS), 30.0, (-10.0, -3.0, 1.0)
)
GROUP_ORDER, USER_ORDER = torch.tensor([2, 0, 1]), torch.tensor([1, 0])


def observations(batch: int = 4) -> Tensor:
    return torch.randn(batch, LAYOUT.observation.size, generator=torch.Generator().manual_seed(0))


def actions(batch: int = 4) -> Tensor:
    shape = batch, LAYOUT.action.size
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def renamed_observation(observation: Tensor) -> Tensor:
    layout = LAYOUT.observation
    users = observation[:, layout.users].unflatten(1, layout.user_shape)
    groups = observation[:, layout.by_group].unflatten(1, layout.group_shape)
    users, groups = users[:, GROUP_ORDER][:, :, USER_ORDER], groups[:, GROUP_ORDER]
    return torch.cat([users.flatten(1), groups.flatten(1), observation[:, layout.cell]], dim=1)


def renamed_action(action: Tensor) -> Tensor:
    layout = LAYOUT.action
    shared = action[:, layout.shared_steps][:, GROUP_ORDER]
    by_user = [
        action[:, part].unflatten(1, (GROUPS, USERS))[:, GROUP_ORDER][:, :, USER_ORDER].flatten(1)
        for part in (layout.follow, layout.power)
    ]
    return torch.cat([shared, *by_user], dim=1)


def test_renaming_the_users_renames_the_actors_actions() -> None:
    torch.manual_seed(0)
    actor, seen = UserwiseActor(LAYOUT, 16, nn.SiLU), observations()
    assert actor(seen).shape == (4, LAYOUT.action.size)
    assert torch.allclose(actor(renamed_observation(seen)), renamed_action(actor(seen)), atol=1e-5)


def test_renaming_the_users_renames_a_denoising_step() -> None:
    torch.manual_seed(0)
    denoiser = UserwiseDenoiser(LAYOUT, 16, 5, nn.SiLU)
    seen, noisy = observations(), actions()
    ours = denoiser(seen)(noisy, 2)
    renamed = denoiser(renamed_observation(seen))(renamed_action(noisy), 2)
    assert torch.allclose(renamed, renamed_action(ours), atol=1e-5)


def test_renaming_the_users_does_not_change_what_a_situation_is_worth() -> None:
    torch.manual_seed(0)
    critic, seen, acted = UserwiseCritic(LAYOUT, 16, nn.SiLU), observations(), actions()
    worth = critic(LAYOUT.plan_tokens(seen, acted))
    renamed = critic(LAYOUT.plan_tokens(renamed_observation(seen), renamed_action(acted)))
    assert worth.shape == (4, 1)
    assert torch.allclose(worth, renamed, atol=1e-5)
    assert worth.std() > 0


def test_every_observation_and_action_entry_matters_to_the_critic() -> None:
    torch.manual_seed(0)
    critic = UserwiseCritic(LAYOUT, 16, nn.SiLU)
    entered = [observations(64).requires_grad_(), actions(64).requires_grad_()]
    critic(LAYOUT.plan_tokens(*entered)).sum().backward()
    for each in entered:
        assert (each.grad.abs().sum(dim=0) > 0).all()


def test_tokens_and_vectors_are_each_others_inverse() -> None:
    acted = actions()
    tokens = LAYOUT.action_tokens(acted)
    assert tokens.shape == (4, GROUPS, USERS, 3)
    assert torch.allclose(LAYOUT.action_of(tokens), acted)
    shared = tokens[..., 0]
    assert torch.equal(shared, acted[:, :GROUPS, None].expand_as(shared))


def test_a_denoising_step_is_that_of_its_layers() -> None:
    torch.manual_seed(0)
    made, seen, noisy = UserwiseDenoiser(LAYOUT, 16, 5, nn.SiLU), observations(), actions()
    met = made.encode(seen) + made.action_in(LAYOUT.action_tokens(noisy)) + made.step_in.weight[2]
    expected = made.head(made.mix(nn.functional.silu(met)))
    assert torch.allclose(made(seen)(noisy, 2), expected, atol=1e-6)
