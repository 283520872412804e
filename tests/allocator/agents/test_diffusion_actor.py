"""The reverse chain against its formula, and gradients that stay alive at the bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import nn

from allocator.agents.diffusion_actor import DiffusionActor, reverse_chain, vp_betas
from allocator.agents.single_decision import ACTIVATIONS

torch.set_num_threads(1)


def actor(steps: int = 5, seed: int = 0, activation: type[nn.Module] = nn.SiLU) -> DiffusionActor:
    torch.manual_seed(seed)
    observations = spaces.Box(-1, 1, (3,), np.float32)
    made = DiffusionActor(
        observations,
        spaces.Box(-1, 1, (2,), np.float32),
        net_arch=[16, 16],
        features_extractor=FlattenExtractor(observations),
        features_dim=3,
        denoising_steps=steps,
        activation_fn=activation,
    )
    made.generator.manual_seed(seed)
    return made


@pytest.mark.parametrize(
    ("steps", "published"),
    [
        (4, [0.284, 0.615, 0.792, 0.888]),
        (5, [0.196, 0.459, 0.636, 0.755, 0.835]),
        (6, [0.143, 0.349, 0.506, 0.624, 0.715, 0.783]),
    ],
)
def test_schedule_has_the_published_values(steps: int, published: list[float]) -> None:
    assert vp_betas(steps).tolist() == pytest.approx(published, abs=6e-4)


@given(steps=st.integers(1, 40))
def test_signal_left_at_the_end_does_not_depend_on_the_number_of_steps(steps: int) -> None:
    # sum of the exponents telescopes: beta_min + (beta_max - beta_min) / 2 = 5.05
    assert torch.prod(1 - vp_betas(steps)).item() == pytest.approx(np.exp(-5.05), rel=1e-9)


@given(steps=st.integers(1, 20))
def test_posterior_reproduces_the_forward_process(steps: int) -> None:
    # If x_i = sqrt(abar_i) x0 + sqrt(1 - abar_i) z, one exact reverse step must give the same law
    # one step earlier: mean sqrt(abar_{i-1}) x0 and variance 1 - abar_{i-1}.
    chain = reverse_chain(steps)
    signal = [*torch.cumprod(1 - vp_betas(steps), 0).tolist()[::-1], 1.0]
    for i in range(steps):
        mean = chain.clean[i] + chain.noisy[i] * np.sqrt(signal[i])
        variance = chain.noisy[i] ** 2 * (1 - signal[i]) + chain.noise_std[i] ** 2
        assert mean == pytest.approx(np.sqrt(signal[i + 1]))
        assert variance == pytest.approx(1 - signal[i + 1], abs=1e-9)


def test_last_step_is_the_clean_prediction_alone() -> None:
    chain = reverse_chain(5)
    assert (chain.clean[-1], chain.noisy[-1], chain.noise_std[-1]) == pytest.approx((1, 0, 0))


def test_no_denoising_step_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        vp_betas(0)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 100))
def test_actions_lie_in_the_box_without_a_clip(seed: int, scale: float) -> None:
    actions = actor(seed=seed)(scale * torch.randn(8, 3))
    assert actions.shape == (8, 2)
    assert actions.abs().max() <= 1


def test_mean_prediction_repeats_and_sampling_does_not() -> None:
    observations, made = torch.ones(4, 3), actor()
    with torch.no_grad():
        assert torch.equal(
            made._predict(observations, deterministic=True),
            made._predict(observations, deterministic=True),
        )
        assert not torch.equal(made(observations), made(observations))


def test_a_chain_is_the_posterior_mean_and_noise_step_by_step() -> None:
    made, observations = actor(steps=4), torch.randn(8, 3)
    noise = torch.randn(4, 8, 2)
    with torch.no_grad():
        actions, logits = made.propose(observations, noise)
        clean, chain, noisy = made.denoiser(observations), made.chain, noise[0]
        for step in range(4):
            expected = clean(noisy, step)
            z = noise[step + 1] if step < 3 else torch.zeros(8, 2)
            mean = chain.clean[step] * torch.tanh(expected) + chain.noisy[step] * noisy
            noisy = mean + chain.noise_std[step] * z
    assert torch.allclose(actions, noisy, atol=1e-6)
    assert torch.allclose(logits, expected, atol=1e-6)


def test_a_denoising_step_is_that_of_its_layers() -> None:
    made, features, noisy = actor().denoiser, torch.randn(8, 3), torch.randn(8, 2)
    with torch.no_grad():
        met = made.encode(features) + made.action_in(noisy) + made.step_in(torch.tensor(2))
        assert torch.allclose(made(features)(noisy, 2), made.denoise(met), atol=1e-6)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, nn.Mish])
def test_a_decision_alone_is_the_one_in_a_batch(activation: type[nn.Module]) -> None:
    made, observations = actor(activation=activation), torch.randn(5, 3)
    with torch.no_grad():
        together = made._predict(observations, deterministic=True)
        alone = [made._predict(one[None], deterministic=True) for one in observations]
    assert torch.allclose(torch.cat(alone), together, atol=1e-6)
    assert together.std() > 1e-3


def test_sampling_follows_the_actors_own_generator() -> None:
    observations = torch.ones(4, 3)
    first, second = actor(), actor()
    torch.manual_seed(99)  # the global stream must not matter
    assert torch.equal(first(observations), second(observations))


def test_state_is_encoded_once_however_long_the_chain() -> None:
    made, calls = actor(steps=6), []
    made.denoiser.encode.register_forward_hook(lambda *_: calls.append(1))
    made(torch.ones(2, 3))
    assert len(calls) == 1


def test_gradient_reaches_every_weight_through_the_chain() -> None:
    made = actor()
    made(torch.randn(16, 3)).sum().backward()
    for name, weight in made.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("bound", [-1.0, 1.0])
def test_gradient_stays_alive_where_the_action_sits_at_its_bound(steps: int, bound: float) -> None:
    # tanh(3) = 0.995: where a hard clip would be flat
    made = actor(steps)
    with torch.no_grad():
        made.denoiser.denoise[-1].weight.zero_()
        made.denoiser.denoise[-1].bias.fill_(3.0 * bound)
    actions = made(torch.randn(16, 3))
    assert (bound * actions).min() > 0.99
    actions.mean().backward()
    # d tanh(3) = 1 - 0.995^2 = 0.0099, shared by two actions
    assert made.denoiser.denoise[-1].bias.grad.abs().min() > 0.004


def test_descent_leads_an_action_away_from_its_bound() -> None:
    made, observations = actor(), torch.randn(16, 3)
    with torch.no_grad():
        made.denoiser.denoise[-1].bias.fill_(3.0)
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        (made(observations) + 0.5).square().mean().backward()  # best: -0.5
        optimizer.step()
    with torch.no_grad():
        left = made._predict(observations, deterministic=True)
    assert left.mean().item() == pytest.approx(-0.5, abs=0.1)
