from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tinyworld.training import Run, Schedule, muon_and_adamw, train


def fit(folder: Path, steps: int, planned: int) -> torch.Tensor:
    """How a sum is fitted after `steps` steps of a schedule made for `planned` steps."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 1))

    def loss_of_step(rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        inputs = torch.randn(16, 3, generator=generator)
        targets = inputs.sum(dim=1, keepdim=True) + float(rng.normal(0, 0.01))
        return (model(inputs) - targets).square().mean()

    class StoppedError(Exception):
        pass

    done = 0

    def stopping(rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        nonlocal done
        if done == steps:
            raise StoppedError
        done += 1
        return loss_of_step(rng, generator)

    optimisers = muon_and_adamw(model, [model[0].weight], peak_learning_rate=0.02, weight_decay=0.0)
    run = Run("line", folder, seed=1, schedule=Schedule(planned, warm_up_steps=10))
    try:
        trained = train(model, optimisers, stopping, run)
    except StoppedError:
        return torch.empty(0)
    return trained(torch.eye(3)).flatten().detach()


@pytest.mark.filterwarnings("ignore")
def test_a_stopped_run_resumes_to_the_very_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = fit(tmp_path / "a", steps=600, planned=600)
    fit(tmp_path / "b", steps=430, planned=600)
    resumed = fit(tmp_path / "b", steps=600, planned=600)
    assert torch.equal(unbroken, resumed)
    assert torch.allclose(unbroken, torch.ones(3), atol=0.05)


def test_the_schedule_rises_rests_and_falls_to_zero() -> None:
    schedule = Schedule(1000, warm_up_steps=100, decay_share=0.3)
    shares = [schedule.share_of_peak(step) for step in range(1000)]
    assert shares[0] == pytest.approx(0.01)
    assert shares[100:700] == [1.0] * 600
    assert shares[-1] == pytest.approx(1 / 300)
    assert np.all(np.diff(shares[700:]) < 0)
