"""One training loop for the three models: resumable, and the same for the same seed.

The data of step k depend on (seed, k) alone, so a run that was stopped and resumed sees what an
unbroken run would have seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

ADAM_BETAS = (0.9, 0.98)
MUON_LEAD = 2.5
"""How much higher Muon's learning rate is than AdamW's."""

GRADIENT_NORM = 1.0
CHECKPOINT_EVERY = 250
REPORT_EVERY = 50


@dataclass(frozen=True)
class Schedule:
    """Warm-up, a constant stretch, and a linear decay to zero over the last part."""

    steps: int
    warm_up_steps: int = 200
    decay_share: float = 0.3

    def share_of_peak(self, step: int) -> float:
        """The learning rate of a step in [0, steps), as a share of the highest."""
        decay_steps = self.decay_share * self.steps
        rise = (step + 1) / self.warm_up_steps
        fall = (self.steps - step) / decay_steps
        return min(1.0, rise, fall)


@dataclass(frozen=True)
class Run:
    """A training run: what it is called, where its checkpoint lies, and its length."""

    name: str
    folder: Path
    seed: int
    schedule: Schedule
    averaging: float = 0.0
    """Decay of the exponential moving average of the weights; 0 keeps the last weights."""

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}-{self.seed}.pt"


LossOfStep = Callable[[np.random.Generator, torch.Generator], torch.Tensor]
Optimisers = Sequence[torch.optim.Optimizer]


def adamw(
    parameters: Iterable[nn.Parameter], *, peak_learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW under which matrices decay; gains, biases and positions do not."""
    trained = [p for p in parameters if p.requires_grad]
    matrices = [p for p in trained if p.ndim >= 2]
    others = [p for p in trained if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=peak_learning_rate, betas=ADAM_BETAS)


def muon_and_adamw(
    model: nn.Module,
    hidden: Sequence[nn.Parameter],
    *,
    peak_learning_rate: float,
    weight_decay: float,
) -> Optimisers:
    """Muon for a model's hidden matrices, AdamW for all that leads into, out of or between them."""
    its_own = {id(parameter) for parameter in hidden}
    others = [p for p in model.parameters() if id(p) not in its_own]
    muon = torch.optim.Muon(
        hidden,
        lr=MUON_LEAD * peak_learning_rate,
        weight_decay=weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return muon, adamw(others, peak_learning_rate=peak_learning_rate, weight_decay=weight_decay)


def train(
    model: nn.Module, optimisers: Optimisers, loss_of_step: LossOfStep, run: Run
) -> nn.Module:
    """Train `model` in place, from its checkpoint if there is one; return the averaged model.

    The optimisers are given with their highest learning rates.
    """
    peaks = [[group["lr"] for group in optimiser.param_groups] for optimiser in optimisers]
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(run.averaging)
    )
    first = _resume(run, model, average, optimisers)
    started, recent = time.monotonic(), []
    for step in range(first, run.schedule.steps):
        _set_learning_rates(optimisers, peaks, run.schedule.share_of_peak(step))
        loss = loss_of_step(
            np.random.default_rng([run.seed, step]),
            torch.Generator().manual_seed(run.seed * 1_000_003 + step),
        )
        model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
        for optimiser in optimisers:
            optimiser.step()
        average.update_parameters(model)
        recent.append(loss.detach())
        if (step + 1) % REPORT_EVERY == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            _report(run, step + 1, float(torch.stack(recent).mean()), pace)
            recent = []
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == run.schedule.steps:
            _save(run, step + 1, model, average, optimisers)
    averaged: nn.Module = average.module
    return averaged


def _set_learning_rates(
    optimisers: Optimisers, peaks: Sequence[Sequence[float]], share: float
) -> None:
    for optimiser, its_peaks in zip(optimisers, peaks, strict=True):
        for group, peak in zip(optimiser.param_groups, its_peaks, strict=True):
            group["lr"] = share * peak


def _resume(run: Run, model: nn.Module, average: nn.Module, optimisers: Optimisers) -> int:
    if not run.checkpoint.exists():
        return 0
    state = torch.load(run.checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    for optimiser, its_state in zip(optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(its_state)
    return int(state["step"])


def _save(
    run: Run, step: int, model: nn.Module, average: nn.Module, optimisers: Optimisers
) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    unfinished = run.checkpoint.with_suffix(".part")
    torch.save(
        {
            "step": step,
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in optimisers],
        },
        unfinished,
    )
    os.replace(unfinished, run.checkpoint)


def _report(run: Run, step: int, loss: float, seconds_per_step: float) -> None:
    line = f"{run.name} step {step}/{run.schedule.steps} loss {loss:.4f}"
    left = (run.schedule.steps - step) * seconds_per_step
    print(f"{line}, {seconds_per_step:.2f} s a step, {left / 60:.0f} min left", flush=True)  # noqa: T201
