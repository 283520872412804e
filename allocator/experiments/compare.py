"""The whole experiment: look at the catalogue, train, evaluate everyone, report.

Every part that is finished lies in the experiment's folder, and unfinished runs their checkpoints:
the same comparison asked for again goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from allocator.agents.settings import tuned
from allocator.experiments.contender import Contender
from allocator.experiments.evaluation import as_compared, held_out_seeds
from allocator.experiments.findings import (
    Findings,
    GeneratorCounts,
    LearningCurve,
    OracleCounts,
    Outcomes,
    Seconds,
)
from allocator.experiments.manifest import commits_of, surroundings
from allocator.experiments.references import REFERENCES, references
from allocator.experiments.spent import Spent, kept_account
from allocator.rlli import Loop, survey_prompt, survey_size
from allocator.scenarios.settings import MEMBERS
from allocator.training.crew import Crew, Hire, crew
from allocator.training.loop_cost import LoopCost
from allocator.training.order import TrainingOrder
from allocator.training.phases import PhaseSeconds
from allocator.training.train import (
    TORCH_THREADS,
    ExperienceSource,
    OpenExperience,
    steps_done,
    who_judges,
)
from allocator.training.trained_run import TrainedRun

if TYPE_CHECKING:
    from allocator.scenarios.policies import Played

DEARNESS = {"gddpg": 1.8, "sac": 1.3, "ddpg": 1.0, "gddpg-mlp": 1.0, "td3": 1.0, "ppo": 0.3}
"""CPU time of a slot of experience as a multiple of DDPG's, measured; only their order matters."""


class Stages(Protocol):
    """Is told what is going on, such as a progress bar."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, steps: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """Who is trained, how often and how long.

    scenario: the member of SharedDenoising's family. seeds: one training run of every contender
    each; three is the least that says anything of how runs differ, ten is what the field asks for.
    steps: slots of experience a run gets. processes: runs at a time.
    """

    folder: Path
    scenario: str = "standard"
    contenders: tuple[Contender, ...] = (Contender("gddpg"), Contender("ddpg"))
    seeds: tuple[int, ...] = (1, 2, 3)
    steps: int = 24_000
    held_out_episodes: int = 64
    processes: int = 2

    @property
    def orders(self) -> tuple[TrainingOrder, ...]:
        """All runs, the dearest first so that no process is left waiting at the end."""
        orders = [
            TrainingOrder(
                learner=contender.learner,
                settings=tuned(contender.learner),
                times=contender.times,
                seed=seed,
                steps=self.steps * contender.times,
                folder=self.folder,
                scenario=self.scenario,
                held_out_episodes=self.held_out_episodes,
            )
            for contender in self.contenders
            for seed in self.seeds
        ]
        dearest_first = sorted(orders, key=_dearness, reverse=True)
        return tuple(dearest_first)


def _dearness(order: TrainingOrder) -> float:
    return order.steps * DEARNESS[order.learner]


@dataclass
class _Account:
    """What this call has spent so far."""

    loop: OpenExperience
    commits: tuple[str, ...]
    looking: LoopCost = field(default_factory=LoopCost)
    started: float = field(default_factory=time.perf_counter)

    def __call__(self) -> Spent:
        seconds = time.perf_counter() - self.started
        return Spent(1, seconds, self.looking + self.loop.cost(), self.commits)


def compare(
    settings: ComparisonSettings, source: ExperienceSource, stages: Stages, hire: Hire = crew
) -> Findings:
    """Run the experiment, or what is left of it, and leave its files in `settings.folder`.

    Raises NothingJudgedError or the client's errors if the service cannot answer, OtherOrderError
    if the folder holds an experiment with other settings, Interrupted if asked to end.
    """
    manifest = surroundings() | {"settings": _plain(settings)}
    with closing(source.open()) as loop:
        account = _Account(loop, commits_of(manifest))
        done = [steps_done(order, loop) for order in settings.orders]
        with kept_account(settings.folder / "spent.json", account) as spent:
            with hire(source, settings.processes) as workers:
                account.looking = _look(loop, workers, stages)
                played = _references(loop, settings, stages)
                runs = _train(settings, workers, stages, done)
            findings = _findings(settings, runs, played, spent(), loop=loop, manifest=manifest)
        stages.begin("writing the report", 1)
        _write(findings, loop, settings.folder)
        stages.advance(1)
    return findings


def _train(
    settings: ComparisonSettings, workers: Crew, stages: Stages, done: Sequence[int]
) -> tuple[TrainedRun, ...]:
    orders = settings.orders
    finished = sum(order.result.is_file() for order in orders)
    title = f"training, {finished} of {len(orders)} runs done" if any(done) else "training"
    stages.begin(title, sum(order.steps for order in orders) - sum(done))
    return workers.train(orders, stages.advance)


def _look(loop: OpenExperience, workers: Crew, stages: Stages) -> LoopCost:
    """See the whole catalogue: the workers draw it and have it judged, then it is known here."""
    prompts = range(len(loop.experience.catalogue.prompts))
    stages.begin("drawing and judging pictures", survey_size(loop.experience.catalogue))
    cost = workers.survey(prompts, stages.advance)
    for prompt in prompts:
        survey_prompt(loop.experience, prompt)
    return cost


def _references(
    loop: OpenExperience, settings: ComparisonSettings, stages: Stages
) -> dict[str, list[Played]]:
    stages.begin(", ".join(REFERENCES), len(REFERENCES))
    return references(
        as_compared(loop.experience, settings.scenario),
        held_out_seeds(settings.held_out_episodes),
        settings.seeds,
        folder=settings.folder / "references",
        about={"scenario": settings.scenario, "experience": who_judges(loop)},
        advance=stages.advance,
    )


def _findings(
    settings: ComparisonSettings,
    runs: Sequence[TrainedRun],
    references: dict[str, list[Played]],
    spent: Spent,
    *,
    loop: OpenExperience,
    manifest: Mapping[str, object],
) -> Findings:
    slots = MEMBERS[settings.scenario].slots
    by_learner = {
        contender.name: [run for run in runs if run.order.contender == contender.name]
        for contender in settings.contenders
    }
    everyone = {name: [run.played for run in mine] for name, mine in by_learner.items()}
    phases = sum((run.seconds for run in runs), PhaseSeconds())
    cost = sum((run.cost for run in runs), spent.cost)
    return Findings(
        name=settings.folder.name,
        judges=loop.judged_by(),
        personas=tuple(loop.experience.personas),
        outcomes={
            name: Outcomes.of(played, slots) for name, played in (everyone | references).items()
        },
        curves={
            name: LearningCurve(
                steps=mine[0].steps,
                updates=mine[0].updates,
                learning_s=np.stack([run.learning_s for run in mine]),
                reward=np.stack([run.reward for run in mine]),
            )
            for name, mine in by_learner.items()
        },
        decision_s={
            name: float(np.median([run.decision_s for run in mine]))
            for name, mine in by_learner.items()
        },
        oracle=OracleCounts(cost.requests, cost.judgments, cost.cached, cost.failed, cost.masked),
        generator=GeneratorCounts(
            cost.pictures, cost.denoising_steps_run, cost.denoising_steps_unshared
        ),
        seconds=Seconds(
            total=spent.seconds,
            generating=cost.generating_s,
            judging=cost.judging_s,
            collecting=phases.collect,
            learning=phases.learn,
        ),
        manifest={
            **manifest,
            "calls": spent.calls,
            "commits_of_all_calls": spent.commits,
            "wall_s": round(spent.seconds, 1),
            "threads_of_each_process": TORCH_THREADS,
        },
        budgets={
            name: tuple(run.budget for run in mine if run.budget is not None)
            for name, mine in by_learner.items()
            if any(run.budget is not None for run in mine)
        },
    )


def _plain(settings: ComparisonSettings) -> dict[str, object]:
    learners = {order.learner: asdict(order.settings) for order in settings.orders}
    return asdict(settings) | {"folder": settings.folder.name, "learners": learners}


def _write(findings: Findings, loop: OpenExperience, folder: Path) -> None:
    from allocator.report.files import write_files
    from allocator.report.pictures import contact_sheets, picture_figures

    sheets = contact_sheets(loop.experience, loop.generator.run) if isinstance(loop, Loop) else ()
    write_files(findings, folder, sheets=sheets, figures=picture_figures(loop.experience))
