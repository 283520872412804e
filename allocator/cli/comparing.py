"""`allocator compare`: learners over seeds, beside those who do not learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.ending import explained
from allocator.cli.options import (
    LEARNER_NAMES,
    AsJson,
    Episodes,
    JudgeCalls,
    Processes,
    Runs,
    Scenario,
    Service,
    Steps,
    Table,
    chosen_source,
    known_contenders,
    known_member,
    limited,
)
from allocator.cli.terminal import progress, tell

if TYPE_CHECKING:
    from allocator.training.crew import Hire

EVERYBODY = ("gddpg", "gddpg-mlp", "ddpg", "ddpg:2", "td3", "sac", "ppo")
"""`ddpg:2` takes a little longer than `gddpg`."""


def compare(
    learners: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{LEARNER_NAMES} ddpg:3 gets three times the slots. Unset: {' '.join(EVERYBODY)}."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Training runs of each learner.")] = 10,
    scenario: Scenario = "standard",
    steps: Steps = 24_000,
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    judge_calls: JudgeCalls = None,
    processes: Processes = 2,
    ray: Annotated[
        bool, typer.Option("--ray", help="Train in Ray tasks, on this machine or a cluster.")
    ] = False,
    out: Runs = Path("runs/compare"),
    as_json: AsJson = False,
) -> None:
    """Train learners over seeds and hold them against chance, constants, greed and the optimum.

    It can be ended at any time: the same command goes on from there, with the same result. Under
    --judge-calls each run has its own budget; the references, and what everybody is compared by,
    take judgments of every picture all the same.
    """
    with explained(next_time="what is done is kept, and this goes on from there"):
        from allocator.experiments.compare import ComparisonSettings
        from allocator.experiments.compare import compare as run_comparison

        settings = ComparisonSettings(
            folder=out,
            scenario=known_member(scenario),
            contenders=known_contenders(learners or EVERYBODY),
            seeds=tuple(range(1, seeds + 1)),
            steps=steps,
            held_out_episodes=episodes,
            processes=processes,
        )
        source = limited(chosen_source(service, table, out), judge_calls)
        with progress() as stages:
            findings = run_comparison(settings, source, stages, _hire(ray))
        tell(findings, out, as_json)


def _hire(ray: bool) -> Hire:
    if ray:
        from allocator.training.ray_crew import ray_crew

        return ray_crew
    from allocator.training.crew import crew

    return crew
