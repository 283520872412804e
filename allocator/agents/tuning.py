"""A small search, the same for every learner: equally many trials of equally many slots.

    python -m allocator.agents.tuning

A trial trains on a tuning seed and is scored on tuning episodes; no comparison ever uses either.
The trials are spread over the settings by Sobol's sequence. Those of the same number try the same
for everybody, as far as they have it in common: no learner is luckier in what it tries. What was
tried and found is kept in `tuned.json`, from which `roster.py` takes its settings. An interrupted
search goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from allocator.agents.settings import LearnerSettings
from allocator.arrays import Floats

TUNING_SEED, TUNING_EPISODES = 101, range(30_000_000_000, 30_000_000_064)
"""Neither is met in a comparison: it trains on seeds 1, 2, ... and holds out other episodes."""

TRIALS = 16
"""A power of two, as Sobol's sequence wants it."""

Space = Mapping[str, Sequence[Any]]

COMMON: Space = {"learning_rate": (5e-4, 1e-3, 2e-3, 4e-3), "discount": (0.95, 0.98, 0.99)}
REPLAYING: Space = {**COMMON, "tau": (0.005, 0.01, 0.02)}
EXPLORING: Space = {**REPLAYING, "noise": (0.1, 0.2, 0.4)}

SEARCHED: Mapping[str, Space] = {
    "gddpg": EXPLORING,
    "gddpg-mlp": EXPLORING,
    "ddpg": EXPLORING,
    "td3": {**EXPLORING, "policy_delay": (1, 2), "target_policy_noise": (0.1, 0.2)},
    "sac": {**REPLAYING, "ent_coef": ("auto_0.1", 0.01, 0.002)},
    "ppo": {
        **COMMON,
        "n_steps": (20, 40, 80),
        "n_epochs": (5, 10, 20),
        "clip_range": (0.2, 0.3),
        "ent_coef": (0.0, 0.003),
    },
}
"""What is tried. Batch, width and updates per slot stay equal for all, so that their work does."""


SETTINGS = sorted({name for space in SEARCHED.values() for name in space})


@dataclass(frozen=True)
class Trial:
    """One run of the search."""

    learner: str
    number: int
    scenario: str
    steps: int

    @property
    def settings(self) -> LearnerSettings:
        """What this trial tries."""
        places = dict(zip(SETTINGS, _spread()[self.number].tolist(), strict=True))
        tried = {
            name: values[int(len(values) * places[name])]
            for name, values in SEARCHED[self.learner].items()
        }
        house = LearnerSettings()
        common = {name: tried.pop(name) for name in asdict(house) if name in tried}
        return replace(house, **common, own=tried)

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


@cache
def _spread() -> Floats:
    """(TRIALS, settings) in [0, 1): every setting's range evenly, and pairs of them, too."""
    spread: Floats = qmc.Sobol(len(SETTINGS), rng=np.random.default_rng(TUNING_SEED)).random(TRIALS)
    return spread


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
    parser.add_argument("--steps", type=int, default=14_400)
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
