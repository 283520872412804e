"""How much each learner cares for its settings: all trials of the search, not the best alone.

    python benchmarks/tuning_robustness.py [--figure docs/figures/tuning.png]

Trains nothing: it reads the record of `python -m allocator.agents.tuning`. Trials of the same
number tried the same settings for G-DDPG, its MLP twin and DDPG, so their differences are paired;
with one training seed each, intervals are over settings and not over seeds. Then it tells of every
learner's finalists, by their mean over all the tuning seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allocator.agents.settings import rewards_by_number
from allocator.agents.tuning import SEARCHED, TUNING_SEEDS
from allocator.experiments.findings import OURS
from allocator.experiments.intervals import mean_interval
from allocator.report.names import label
from allocator.report.paper import PAPER, PNG_DPI, paper_figure

NEAR = 0.02
"""Of the best reward any trial of any learner found, as a share of it."""

LOWEST_SHOWN = 0.55


def rewards_of(learner: str) -> NDArray[np.float64]:
    """(trials,) mean rewards of a slot on the tuning episodes, on the first seed, by number."""
    return np.array([rewards[0] for _, rewards in sorted(rewards_by_number(learner).items())])


def tell(rewards: dict[str, NDArray[np.float64]]) -> None:
    best = max(each.max() for each in rewards.values())
    print(f"{'learner':<22}{'best':>8}{'median':>8}{'worst':>8}{'near best':>11}   less than ours")
    for learner, found in rewards.items():
        near = (found >= (1 - NEAR) * best).mean()
        row = f"{label(learner):<22}{found.max():>8.3f}{np.median(found):>8.3f}{found.min():>8.3f}"
        row += f"{near:>11.0%}"
        if SEARCHED[learner] == SEARCHED[OURS] and learner != OURS:
            less = mean_interval(rewards[OURS] - found, np.random.default_rng(0))
            row += f"   {less.point:.3f} [{less.low:.3f}, {less.high:.3f}]"
        print(row)


def finals_of(learner: str) -> NDArray[np.float64]:
    """(finalists, seeds) rewards, the finalist of the best mean first."""
    everything = rewards_by_number(learner).values()
    finals = np.array([rewards for rewards in everything if len(rewards) == len(TUNING_SEEDS)])
    falling: NDArray[np.float64] = finals[np.argsort(-finals.mean(axis=1))]
    return falling


def tell_finals() -> None:
    print(f"\n{'learner':<22}{'taken':>8}{'worst seed':>12}   the other finalists")
    for learner in SEARCHED:
        taken, *others = finals_of(learner)
        row = f"{label(learner):<22}{taken.mean():>8.3f}{taken.min():>12.3f}   "
        print(row + ", ".join(f"{each.mean():.3f}" for each in others))


def draw(rewards: dict[str, NDArray[np.float64]], path: Path) -> None:
    with paper_figure(height_in=2.6) as figure:
        axes = figure.add_subplot()
        for number, (learner, found) in enumerate(rewards.items()):
            falling = np.sort(found)[::-1]
            shown = np.where(falling < LOWEST_SHOWN, np.nan, falling)
            axes.plot(range(1, len(found) + 1), shown, label=label(learner), **PAPER.line(number))
        axes.set(xlabel="trials of other settings, the best first", ylabel="reward of a slot")
        axes.legend()
        figure.savefig(path, dpi=PNG_DPI)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    rewards = {learner: rewards_of(learner) for learner in SEARCHED}
    tell(rewards)
    tell_finals()
    if options.figure:
        draw(rewards, options.figure)


if __name__ == "__main__":
    main()
