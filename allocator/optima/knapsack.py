"""One choice from each of many frontiers, under one budget: the multiple-choice knapsack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.optima.frontiers import Frontier


def best_picks(
    frontiers: Sequence[Frontier],
    *,
    limit_j: float,
    cells: int,
    charge: Callable[[Floats], Floats],
) -> Indices:
    """Which point to take of each frontier, by dynamic programming over the energy spent.

    Maximises the sum of rewards minus `charge(spent)` over all picks that spend at most `limit_j`.
    Energy is counted in `cells` steps and each pick is rounded up to a whole step, so the picks
    always fit the limit; they are optimal but for that rounding. Raises ValueError if nothing fits.
    """
    step_j = limit_j / cells
    best = np.full(cells + 1, -np.inf)
    best[0] = 0.0
    picks = np.zeros((len(frontiers), cells + 1), dtype=np.intp)
    steps = [np.ceil(frontier.joules / step_j).astype(np.intp) for frontier in frontiers]
    for item, frontier in enumerate(frontiers):
        best, picks[item] = _with_one_more(best, steps[item], frontier.reward)
    spent = int(np.argmax(best - charge(np.linspace(0.0, limit_j, cells + 1))))
    if not np.isfinite(best[spent]):
        raise ValueError(f"no plan spends as little as {limit_j:.6g} J: raise the budget")
    return _traced_back(picks, steps, spent)


def _with_one_more(best: Floats, steps: Indices, reward: Floats) -> tuple[Floats, Indices]:
    longer = np.full_like(best, -np.inf)
    pick = np.zeros(len(best), dtype=np.intp)
    for point, (step, gain) in enumerate(zip(steps, reward, strict=True)):
        if step >= len(best):
            break
        reached = best[: len(best) - step] + gain
        better = reached > longer[step:]
        longer[step:][better] = reached[better]
        pick[step:][better] = point
    return longer, pick


def _traced_back(picks: Indices, steps: Sequence[Indices], spent: int) -> Indices:
    chosen = np.zeros(len(picks), dtype=np.intp)
    for item in reversed(range(len(picks))):
        chosen[item] = picks[item, spent]
        spent -= int(steps[item][chosen[item]])
    return chosen
