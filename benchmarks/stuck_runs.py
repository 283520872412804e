"""How often training goes wrong, and whether other settings would have helped.

    python benchmarks/stuck_runs.py [--learners ddpg gddpg] [--seeds 6] [--out FILE]

The search's finalists, each learner's four best settings, are trained as long as in the headline on
seeds by which none of them was chosen and which no comparison meets. A run went wrong if it earns
less than the best constant action. An interrupted benchmark goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from allocator.agents.settings import rewards_by_number
from allocator.agents.tuning import SETTINGS, TUNING_EPISODES, TUNING_SEEDS, Trial, search
from allocator.experiments.evaluation import as_compared, evaluate_best_constant
from allocator.report.names import label
from allocator.scenarios.data import shipped_experience

SCENARIO, STEPS, FIRST_SEED = "standard", 24_000, 111


def finalists(learner: str) -> list[int]:
    """The numbers of a learner's finalists, the one that was taken first."""
    finals = {
        number: rewards
        for number, rewards in rewards_by_number(learner).items()
        if len(rewards) == len(TUNING_SEEDS)
    }
    return sorted(finals, key=lambda number: -np.mean(finals[number]))


def constant_reward() -> float:
    """A slot's reward of the best constant action on the tuning episodes."""
    scenario = as_compared(shipped_experience(), SCENARIO)
    played = evaluate_best_constant(scenario, TUNING_EPISODES, seed=0)
    return float(played.total_reward.mean()) / scenario.settings.slots


def tell(learner: str, found: Mapping[Trial, float], constant: float) -> None:
    print(f"\n{label(learner)}\n wrong  median   worst    best   settings")
    for number in finalists(learner):
        rewards = np.array([found[trial] for trial in found if trial.number == number])
        wrong = f"{(rewards < constant).sum()}/{len(rewards)}"
        figures = (np.median(rewards), rewards.min(), rewards.max())
        row = f"{wrong:>6}" + "".join(f"{figure:8.3f}" for figure in figures)
        print(f"{row}   {settings_of(next(trial for trial in found if trial.number == number))}")


def settings_of(trial: Trial) -> str:
    settings = {**vars(trial.settings), **trial.settings.own}
    return ", ".join(f"{name} {settings[name]}" for name in SETTINGS if name in settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", nargs="+", default=["ddpg", "gddpg"])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/stuck_runs.json"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    constant = constant_reward()
    print(f"best constant action {constant:.3f}", flush=True)
    for learner in options.learners:
        trials = [
            Trial(learner, number, FIRST_SEED + seed, SCENARIO, options.steps)
            for seed in range(options.seeds)
            for number in finalists(learner)
        ]
        tell(learner, search(trials, options.out, options.processes), constant)


if __name__ == "__main__":
    main()
