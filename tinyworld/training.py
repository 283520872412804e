"""One training loop for the three models: resumable, and the same for the same seed.

The data of step k depend on (seed, k) alone, so a run that was stopped and resumed sees what an
unbroken run would have seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

ADAM_BETAS = (0.9, 0.98)
GRADIENT_NORM = 1.0
CHECKPOINT_EVERY = 250
REPORT_EVERY = 50


@dataclass(frozen=True)
class Schedule:
    """Warm-up, a constant stretch, and a linear decay to zero over the last part."""

    steps: int
    peak_learning_rate: float
    warm_up_steps: int = 200
    decay_share: float = 0.3

    def learning_rate(self, step: int) -> float:
        """The learning rate of a step in [0, steps)."""
        decay_steps = self.decay_share * self.steps
        rise = (step + 1) / self.warm_up_steps
        fall = (self.steps - step) / decay_steps
        return self.peak_learning_rate * min(1.0, rise, fall)


@dataclass(frozen=True)
class Run:
    """A training run: what it is called, where its checkpoint lies, and its length."""

    name: str
    folder: Path
    seed: int
    schedule: Schedule
    weight_decay: float
    averaging: float = 0.0
    """Decay of the exponential moving average of the weights; 0 keeps the last weights."""

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}-{self.seed}.pt"


LossOfStep = Callable[[np.random.Generator, torch.Generator], torch.Tensor]


def train(model: nn.Module, loss_of_step: LossOfStep, run: Run) -> nn.Module:
    """Train `model` in place, from its checkpoint if there is one; return the averaged model."""
    optimiser = torch.optim.AdamW(
        _parameter_groups(model, run.weight_decay), lr=0.0, betas=ADAM_BETAS
    )
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(run.averaging)
    )
    first = _resume(run, model, average, optimiser)
    started, recent = time.monotonic(), []
    for step in range(first, run.schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = run.schedule.learning_rate(step)
        loss = loss_of_step(
            np.random.default_rng([run.seed, step]),
            torch.Generator().manual_seed(run.seed * 1_000_003 + step),
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
        optimiser.step()
        average.update_parameters(model)
        recent.append(loss.detach())
        if (step + 1) % REPORT_EVERY == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            _report(run, step + 1, float(torch.stack(recent).mean()), pace)
            recent = []
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == run.schedule.steps:
            _save(run, step + 1, model, average, optimiser)
    averaged: nn.Module = average.module
    return averaged


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; gains, biases and positions do not."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _resume(
    run: Run, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    if not run.checkpoint.exists():
        return 0
    state = torch.load(run.checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _save(
    run: Run, step: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    unfinished = run.checkpoint.with_suffix(".part")
    torch.save(
        {
            "step": step,
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
        },
        unfinished,
    )
    os.replace(unfinished, run.checkpoint)


def _report(run: Run, step: int, loss: float, seconds_per_step: float) -> None:
    line = f"{run.name} step {step}/{run.schedule.steps} loss {loss:.4f}"
    left = (run.schedule.steps - step) * seconds_per_step
    print(f"{line}, {seconds_per_step:.2f} s a step, {left / 60:.0f} min left", flush=True)  # noqa: T201
