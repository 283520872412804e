"""What a training run is asked for, and what tells one from another."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from allocator.agents.settings import LearnerSettings
from allocator.experiments.contender import Contender
from allocator.scenarios.settings import MEMBERS
from allocator.training.run_files import Identity

REPEATABLE_WITH = ("torch", "stable-baselines3", "numpy")
"""Another version of these may round differently, and then a resumed run is no longer the same."""


@dataclass(frozen=True, kw_only=True)
class TrainingOrder:
    """One run: which learner, which seed, for how long, and where its files go.

    times: how many times the slots that others get; `steps` counts them already. scenario: the
    member of SharedDenoising's family. Training episodes come from `seed`; the curve is drawn from
    the first `curve_episodes` held-out episodes, the outcome from the first `held_out_episodes`.
    """

    learner: str
    settings: LearnerSettings
    seed: int
    steps: int
    folder: Path
    times: int = 1
    scenario: str = "standard"
    environments: int = 16
    curve_points: int = 12
    curve_episodes: int = 32
    held_out_episodes: int = 64

    @property
    def contender(self) -> str:
        """Under which name the learner is compared."""
        return Contender(self.learner, self.times).name

    @property
    def name(self) -> str:
        """Of the run's files."""
        return f"{self.contender}-{self.seed}"

    @property
    def curve_due(self) -> tuple[int, ...]:
        """After how many steps a point of the curve is due."""
        return tuple(np.linspace(0, self.steps, self.curve_points).round().astype(int).tolist())

    @property
    def pictures_shown(self) -> int:
        """How many pictures users are shown while it trains: one each in every slot."""
        member = MEMBERS[self.scenario]
        return self.steps * member.groups * member.users_per_group

    @property
    def checkpoint(self) -> Path:
        """Where the trained learner lies, as Stable-Baselines3 saves it."""
        return self.folder / "checkpoints" / f"{self.name}.zip"

    @property
    def unfinished(self) -> Path:
        """Where the run lies while it is on its way."""
        return self.folder / "checkpoints" / f"{self.name}.unfinished"

    @property
    def result(self) -> Path:
        """Where the finished run lies."""
        return self.folder / "runs" / f"{self.name}.npz"

    def identity(self, experience: str) -> Identity:
        """All that its result depends on; `experience` tells whose rewards it learns from."""
        order = asdict(self)
        del order["folder"]
        return plain(
            order
            | {
                "scenario_settings": asdict(MEMBERS[self.scenario]),
                "experience": experience,
                "versions": {package: version(package) for package in REPEATABLE_WITH},
            }
        )


def plain(told: Identity) -> Identity:
    """The same values as a file gives them back."""
    same: Identity = json.loads(json.dumps(told, default=str))
    return same
