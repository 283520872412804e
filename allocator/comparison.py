"""The whole experiment: look at the catalogue, train, evaluate everyone, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from allocator.crew import Crew, crew
from allocator.experiments import (
    Findings,
    GeneratorCounts,
    LearningCurve,
    OracleCounts,
    Outcomes,
    Seconds,
)
from allocator.manifest import surroundings
from allocator.phases import PhaseSeconds
from allocator.rlli import Loop, survey_prompt, survey_size
from allocator.scenarios.settings import MEMBERS
from allocator.training import (
    ExperienceSource,
    LoopCost,
    OpenExperience,
    TrainedRun,
    TrainingOrder,
)

if TYPE_CHECKING:
    from allocator.scenarios.policies import Played


class Stages(Protocol):
    """Is told what is going on, such as a progress bar."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, steps: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """Who is trained, how often and how long.

    scenario: the member of SharedDenoising's family. seeds: one training run of every learner each;
    three is the least that says anything of how runs differ. steps: slots of experience a run gets.
    """

    folder: Path
    scenario: str = "standard"
    learners: tuple[str, ...] = ("gddpg", "ddpg")
    seeds: tuple[int, ...] = (1, 2, 3)
    steps: int = 16_000
    held_out_episodes: int = 64
    processes: int = 2

    @property
    def orders(self) -> tuple[TrainingOrder, ...]:
        """All runs, the dearest learners first so that no process is left waiting at the end."""
        return tuple(
            TrainingOrder(
                learner=learner,
                seed=seed,
                steps=self.steps,
                folder=self.folder,
                scenario=self.scenario,
                held_out_episodes=self.held_out_episodes,
            )
            for learner in self.learners
            for seed in self.seeds
        )


@dataclass
class _Clock:
    started: float = field(default_factory=time.perf_counter)

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self.started


def compare(settings: ComparisonSettings, source: ExperienceSource, stages: Stages) -> Findings:
    """Run the experiment and leave its files in `settings.folder`.

    Raises NothingJudgedError or the client's errors if the service cannot answer.
    """
    clock, manifest = _Clock(), surroundings() | {"settings": _plain(settings)}
    settings.folder.mkdir(parents=True, exist_ok=True)
    with _opened(source) as loop, crew(source, settings.processes) as workers:
        looking = _look(loop, workers, stages)
        references = _references(loop, settings, stages)
        stages.begin("training", settings.steps * len(settings.orders))
        runs = workers.train(settings.orders, stages.advance)
        cost = sum((run.cost for run in runs), looking + loop.cost())
        findings = _findings(settings, runs, references, cost, clock, loop=loop, manifest=manifest)
        stages.begin("writing the report", 1)
        _write(findings, loop, settings.folder)
        stages.advance(1)
    return findings


@contextmanager
def _opened(source: ExperienceSource) -> Iterator[OpenExperience]:
    loop = source.open()
    try:
        yield loop
    finally:
        loop.close()


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
    """Those who do not learn: random as often as there are seeds, the others once."""
    from allocator import evaluation

    scenario = evaluation.as_compared(loop.experience, settings.scenario)
    seeds = evaluation.held_out_seeds(settings.held_out_episodes)
    stages.begin("random, constant, greedy, optimum", 4)
    played: dict[str, list[Played]] = {}
    played["random"] = [
        evaluation.evaluate_random(scenario, seeds, seed=seed) for seed in settings.seeds
    ]
    stages.advance(1)
    played["constant"] = [evaluation.evaluate_best_constant(scenario, seeds, seed=0)]
    stages.advance(1)
    played["greedy"] = [evaluation.evaluate_greedy(scenario, seeds)]
    stages.advance(1)
    played["optimum"] = [evaluation.evaluate_optimum(scenario, seeds)]
    stages.advance(1)
    return played


def _findings(
    settings: ComparisonSettings,
    runs: Sequence[TrainedRun],
    references: dict[str, list[Played]],
    cost: LoopCost,
    clock: _Clock,
    *,
    loop: OpenExperience,
    manifest: Mapping[str, object],
) -> Findings:
    slots = MEMBERS[settings.scenario].slots
    by_learner = {
        name: [run for run in runs if run.order.learner == name] for name in settings.learners
    }
    everyone = {name: [run.played for run in mine] for name, mine in by_learner.items()}
    spent = sum((run.seconds for run in runs), PhaseSeconds())
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
            total=clock.elapsed_s,
            generating=cost.generating_s,
            judging=cost.judging_s,
            collecting=spent.collect,
            learning=spent.learn,
        ),
        manifest=manifest,
    )


def _plain(settings: ComparisonSettings) -> dict[str, object]:
    told = asdict(settings) | {"learner": asdict(settings.orders[0].settings)}
    return told | {"folder": settings.folder.name}


def _write(findings: Findings, loop: OpenExperience, folder: Path) -> None:
    from allocator.report.files import write_files
    from allocator.report.pictures import contact_sheets, picture_figures

    sheets = contact_sheets(loop.experience, loop.generator.run) if isinstance(loop, Loop) else ()
    write_files(findings, folder, sheets=sheets, figures=picture_figures(loop.experience))
