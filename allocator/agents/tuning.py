"""A small search, the same for every learner: equally many trials of equally many slots.

    python -m allocator.agents.tuning

A trial trains on a tuning seed and is scored on tuning episodes; no comparison ever uses either.
The trials of a round are spread over the settings by Sobol's sequence. Those of the same number try
the same for everybody, as far as they have it in common: no learner is luckier in what it tries. A
second round moves on the ranges of targets, noise, entropy and rollouts, where winners of the first
lay at an end. The best on one seed is partly luck, so a learner's finalists are trained on more
seeds, and their mean decides. What was tried and found is kept in `tuned.json`, from which all runs
take their settings. An interrupted search goes on where it was.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from allocator.agents.settings import TUNED, LearnerSettings
from allocator.arrays import Floats
from allocator.training.lifeline import end_with_parent
from allocator.training.run_files import replacing

TUNING_SEEDS, TUNING_EPISODES = tuple(range(101, 109)), range(30_000_000_000, 30_000_000_064)
"""Neither is met in a comparison: it trains on seeds 1, 2, ... and holds out other episodes."""

SCENARIO, SLOTS = "standard", 14_400
"""What a trial trains on, and for how long."""

TRIALS, FINALISTS = 16, 4
"""A learner's trials in each round, on the first seed (a power of two, as Sobol's sequence wants
it), and how many of all of them go on to the other seeds."""

Choices = Sequence[Any]
Space = Mapping[str, Choices]


def _spaces(
    *,
    tau: Choices,
    noise: Choices,
    target_noise: Choices,
    entropy: Choices,
    n_steps: Choices,
    n_epochs: Choices,
) -> Mapping[str, Space]:
    common = {"learning_rate": (5e-4, 1e-3, 2e-3, 4e-3), "discount": (0.95, 0.98, 0.99)}
    replaying = {**common, "tau": tau}
    exploring = {**replaying, "noise": noise}
    return {
        "gddpg": exploring,
        "gddpg-mlp": exploring,
        "ddpg": exploring,
        "td3": {**exploring, "policy_delay": (1, 2), "target_policy_noise": target_noise},
        "sac": {**replaying, "ent_coef": entropy},
        "ppo": {
            **common,
            "n_steps": n_steps,
            "n_epochs": n_epochs,
            "clip_range": (0.2, 0.3),
            "ent_coef": (0.0, 0.003),
        },
    }


ROUNDS = (
    _spaces(
        tau=(0.005, 0.01, 0.02),
        noise=(0.1, 0.2, 0.4),
        target_noise=(0.1, 0.2),
        entropy=("auto_0.1", 0.01, 0.002),
        n_steps=(20, 40, 80),
        n_epochs=(5, 10, 20),
    ),
    _spaces(
        tau=(0.01, 0.02, 0.05),
        noise=(0.05, 0.1, 0.2),
        target_noise=(0.05, 0.1, 0.2),
        entropy=("auto_0.1", 0.002, 0.0005),
        n_steps=(10, 20, 40),
        n_epochs=(10, 20, 40),
    ),
)
"""What is tried in each round, by learner; learning rate and discount have one range.
Batch, width and updates per slot stay equal for all, so that their work does."""

SEARCHED: Mapping[str, Sequence[Space]] = {
    learner: [spaces[learner] for spaces in ROUNDS] for learner in ROUNDS[0]
}
SETTINGS = sorted({name for spaces in SEARCHED.values() for name in spaces[0]})


@dataclass(frozen=True)
class Trial:
    """One run of the search. Its number stands for what it tries."""

    learner: str
    number: int
    seed: int
    scenario: str
    steps: int

    @property
    def settings(self) -> LearnerSettings:
        """What this trial tries."""
        searched, place = divmod(self.number, TRIALS)
        places = dict(zip(SETTINGS, _spread()[place].tolist(), strict=True))
        tried = {
            name: values[int(len(values) * places[name])]
            for name, values in SEARCHED[self.learner][searched].items()
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
            ScenarioVecEnv(scenario, 16, seed=self.seed),
            Layout.of(scenario),
            seed=self.seed,
            settings=self.settings,
        )
        learner.learn(self.steps)
        played = evaluate(as_compared(experience, self.scenario), learner, TUNING_EPISODES)
        return float(played.total_reward.mean()) / scenario.settings.slots


@cache
def _spread() -> Floats:
    """(TRIALS, settings) in [0, 1): every setting's range evenly, and pairs of them, too."""
    rng = np.random.default_rng(TUNING_SEEDS[0])
    spread: Floats = qmc.Sobol(len(SETTINGS), rng=rng).random(TRIALS)
    return spread


def rounds() -> list[Trial]:
    """Everything that is tried, by everybody, on the first seed."""
    return [
        Trial(learner, number, TUNING_SEEDS[0], SCENARIO, SLOTS)
        for number in range(TRIALS * len(ROUNDS))
        for learner in SEARCHED
    ]


def finals(found: Mapping[Trial, float]) -> list[Trial]:
    """The best of each learner's trials on the first seed, on each of the others."""
    return [
        replace(trial, seed=seed)
        for learner in SEARCHED
        for trial in heapq.nlargest(
            FINALISTS, (each for each in found if each.learner == learner), key=found.__getitem__
        )
        for seed in TUNING_SEEDS[1:]
    ]


def search(trials: Sequence[Trial], record: Path, processes: int) -> dict[Trial, float]:
    """Their rewards: those in the record, and of the others, written there one after the other."""
    found = json.loads(record.read_text()) if record.exists() else []
    known = rewards_in(found)
    left = [trial for trial in trials if trial not in known]
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=end_with_parent
    ) as pool:
        for trial, reward in zip(left, pool.map(Trial.run, left), strict=True):
            known[trial] = round(reward, 5)
            found.append({**asdict(trial), **asdict(trial.settings), "reward": known[trial]})
            with replacing(record) as file:
                file.write(f"{json.dumps(found, indent=1)}\n".encode())
    return {trial: known[trial] for trial in trials}


def rewards_in(record: Iterable[Mapping[str, Any]]) -> dict[Trial, float]:
    """The trials that a record tells of."""
    names = [each.name for each in fields(Trial)]
    return {Trial(**{name: each[name] for name in names}): each["reward"] for each in record}


def main() -> None:
    """The command of the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    record = Path(str(files("allocator.agents").joinpath(TUNED)))
    found = search(rounds(), record, options.processes)
    search(finals(found), record, options.processes)


if __name__ == "__main__":
    main()
