"""A small random search, the same for every learner: equally many trials of equally many slots.

    python -m allocator.agents.tuning

A trial trains on a tuning seed and is scored on tuning episodes; no comparison ever uses either.
The first trial of a learner is the house's settings, the others are drawn from its search space.
What was tried and found is kept in `tuned.json`, from which `roster.py` takes its settings. An
interrupted search goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from allocator.agents.settings import LearnerSettings

TUNING_SEED, TUNING_EPISODES = 101, range(30_000_000_000, 30_000_000_064)
"""Neither is met in a comparison: it trains on seeds 1, 2, ... and holds out other episodes."""

TRIALS = 8
Space = Mapping[str, Sequence[Any]]

REPLAYING: Space = {
    "learning_rate": (5e-4, 1e-3, 2e-3),
    "discount": (0.95, 0.98, 0.99),
    "tau": (0.005, 0.01, 0.02),
}
EXPLORING: Space = {**REPLAYING, "noise": (0.1, 0.2, 0.4)}

SEARCHED: Mapping[str, Space] = {
    "gddpg": {**EXPLORING, "bound_penalty": (0.01, 0.1)},
    "gddpg-mlp": {**EXPLORING, "bound_penalty": (0.01, 0.1)},
    "ddpg": EXPLORING,
    "td3": {**EXPLORING, "policy_delay": (1, 2), "target_policy_noise": (0.1, 0.2)},
    "sac": {**REPLAYING, "ent_coef": ("auto_0.1", 0.01, 0.002)},
    "ppo": {
        "learning_rate": (5e-4, 1e-3, 2e-3),
        "discount": (0.95, 0.98, 0.99),
        "n_steps": (20, 40, 80),
        "n_epochs": (5, 10, 20),
        "clip_range": (0.2, 0.3),
        "ent_coef": (0.0, 0.003),
    },
}
"""What is tried. Batch, width and updates per slot stay equal for all, so that their work does."""

DRAWS_OF: Mapping[str, str] = {"gddpg-mlp": "gddpg"}
"""The ablation tries what G-DDPG tries, so that luck in drawing is no difference between them."""


@dataclass(frozen=True)
class Trial:
    """One run of the search: `number` 0 is the house's settings."""

    learner: str
    number: int
    scenario: str
    steps: int

    @property
    def settings(self) -> LearnerSettings:
        """What this trial tries, drawn evenly from the learner's space."""
        house = LearnerSettings()
        if self.number == 0:
            return house
        space = SEARCHED[self.learner]
        draws = sorted(SEARCHED).index(DRAWS_OF.get(self.learner, self.learner))
        rng = np.random.default_rng([TUNING_SEED, draws, self.number])
        drawn = {name: values[int(rng.integers(len(values)))] for name, values in space.items()}
        common = {name: drawn.pop(name) for name in asdict(house) if name in drawn}
        return replace(house, **common, own=drawn)

    def run(self) -> float:
        """Mean reward of a slot on the tuning episodes after training."""
        import torch

        from allocator.agents.layout import Layout
        from allocator.agents.roster import make_learner
        from allocator.experiments.evaluation import as_compared, evaluate
        from allocator.scenarios.data import shipped_experience
        from allocator.scenarios.settings import MEMBERS
        from allocator.scenarios.shared_denoising import SharedDenoising
        from allocator.scenarios.vector import ScenarioVecEnv

        torch.set_num_threads(1)
        experience = shipped_experience()
        scenario = SharedDenoising(experience, MEMBERS[self.scenario])
        learner = make_learner(
            self.learner,
            ScenarioVecEnv(scenario, 16, seed=TUNING_SEED),
            Layout.of(scenario),
            seed=TUNING_SEED,
            settings=self.settings,
        )
        learner.learn(self.steps)
        played = evaluate(as_compared(experience, self.scenario), learner, TUNING_EPISODES)
        return float(played.total_reward.mean()) / scenario.settings.slots


def search(trials: Sequence[Trial], record: Path, processes: int) -> None:
    """Run the trials that the record does not hold yet, and write each as it ends."""
    found = json.loads(record.read_text()) if record.exists() else []
    known = {(each["learner"], each["number"]) for each in found}
    left = [trial for trial in trials if (trial.learner, trial.number) not in known]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for trial, reward in zip(left, pool.map(Trial.run, left), strict=True):
            found.append({**asdict(trial), **asdict(trial.settings), "reward": round(reward, 5)})
            record.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """The command of the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8_000)
    parser.add_argument("--scenario", default="standard")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    record = Path(str(files("allocator.agents").joinpath("tuned.json")))
    trials = [
        Trial(learner, number, options.scenario, options.steps)
        for number in range(TRIALS)
        for learner in SEARCHED
    ]
    search(trials, record, options.processes)


if __name__ == "__main__":
    main()
