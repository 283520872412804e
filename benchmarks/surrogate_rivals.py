"""Other ensembles that could stand in for judges, held against the package's surrogate.

Their standard deviation is the surrogate's: of what judges do say. What the members disagree about
is added to how far opinions they were not shown lie from them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from allocator.arrays import Floats, Indices
from allocator.judge_budget.surrogate import Prediction, Views

MEMBERS = 8

Predict = Callable[[Indices, Indices], Prediction]


def small_networks(
    seen: Floats, traits: Floats, picture: Indices, persona: Indices, opinion: Floats
) -> Predict:
    """Eight networks of two layers of 64, each shown its own nine tenths of the opinions.

    seen: (pictures, F), see `judge_budget.surrogate.seen_of`; RBF features and products of it with
    traits are for a network to make itself.
    """
    generator = torch.Generator().manual_seed(0)

    def rows(picture: Indices, persona: Indices) -> Floats:
        who = np.eye(len(traits))[persona]
        return np.concatenate([seen[picture], who, traits[persona]], axis=1)

    x = torch.from_numpy(rows(picture, persona)).float()
    scale, middle = max(float(opinion.std()), 1e-3), float(opinion.mean())
    y = torch.from_numpy((opinion - middle) / scale).float()
    sizes = [x.shape[1], 64, 64, 1]
    layers = [
        (
            (torch.randn(MEMBERS, n, m, generator=generator) / n**0.5).requires_grad_(),
            torch.zeros(MEMBERS, 1, m, requires_grad=True),
        )
        for n, m in pairwise(sizes)
    ]
    shown = torch.rand(MEMBERS, len(y), generator=generator) < 0.9

    def forward(batch: torch.Tensor) -> torch.Tensor:
        for weight, bias in layers[:-1]:
            batch = torch.nn.functional.silu(batch @ weight + bias)
        return (batch @ layers[-1][0] + layers[-1][1])[..., 0]

    parameters = [each for layer in layers for each in layer]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 600)
    for _ in range(600):
        chosen = torch.randint(len(y), (MEMBERS, min(256, len(y))), generator=generator)
        counted = shown.gather(1, chosen)
        loss = (((forward(x[chosen]) - y[chosen]) ** 2) * counted).mean() * MEMBERS
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()

    with torch.no_grad():
        missed = ((forward(x[None]) - y) ** 2)[~shown].mean().item() * scale**2

    @torch.no_grad()
    def predict(picture: Indices, persona: Indices) -> Prediction:
        told = forward(torch.from_numpy(rows(picture, persona)).float()[None]).double().numpy()
        sd = np.sqrt((told.std(axis=0) * scale) ** 2 + missed)
        return Prediction(told.mean(axis=0) * scale + middle, sd)

    return predict


def bootstrapped_ridges(
    views: Views, picture: Indices, persona: Indices, opinion: Floats
) -> Predict:
    """Eight ridge regressions on resampled opinions, the penalty by leave-one-out error."""
    rng = np.random.default_rng(0)
    x, middle = views.rows(picture, persona), float(opinion.mean())
    y = opinion - middle
    left, widths, _ = np.linalg.svd(x, full_matrices=False)

    def error(penalty: float) -> float:
        kept = widths**2 / (widths**2 + penalty)
        residual = (y - left @ (kept * (left.T @ y))) / (1 - (left**2 * kept).sum(axis=1))
        return float((residual**2).mean())

    penalty = min(10.0 ** np.arange(-3, 3.1, 0.5), key=error)
    missed = error(penalty)
    weights = []
    for _ in range(MEMBERS):
        drawn = rng.integers(len(y), size=len(y))
        gram = x[drawn].T @ x[drawn] + penalty * np.eye(x.shape[1])
        weights.append(np.linalg.solve(gram, x[drawn].T @ y[drawn]))

    def predict(picture: Indices, persona: Indices) -> Prediction:
        told = views.rows(picture, persona) @ np.array(weights).T + middle
        return Prediction(told.mean(axis=1), np.sqrt(told.var(axis=1) + missed))

    return predict
