"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from allocator.experiments.contender import Contender
    from allocator.rlli import RecordedSource, ServiceSource
    from allocator.training.train import ExperienceSource

LEARNER_NAMES = "gddpg, gddpg-mlp, ddpg, td3, sac or ppo."

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of a table.")]
Service = Annotated[
    str | None,
    typer.Option(
        "--service", metavar="URL", help="A running QoE service; unset: recorded opinions."
    ),
]
Table = Annotated[
    Path | None,
    typer.Option("--table", exists=True, dir_okay=False, help="Recorded opinions of your own."),
]
Runs = Annotated[Path, typer.Option("--out", help="Folder that gets the results.")]
Steps = Annotated[int, typer.Option(min=1, help="Slots of experience a training run gets.")]
Scenario = Annotated[
    str, typer.Option("--scenario", help="easy, standard or hard: a member of SharedDenoising.")
]
Processes = Annotated[int, typer.Option(min=1, help="Training runs at a time, one core each.")]
Episodes = Annotated[int, typer.Option(min=1, help="Held-out episodes.")]
JudgeCalls = Annotated[
    int | None,
    typer.Option(
        "--judge-calls",
        min=20,
        help="At most so many judgments a training run, one persona's of one picture each; a "
        "surrogate stands in for the others. Unset: every picture is judged.",
    ),
]


def known_learner(name: str) -> str:
    """The name of a learner there is."""
    from allocator.agents.roster import LEARNERS

    if name not in LEARNERS:
        raise typer.BadParameter(f"no learner is called {name!r}: try {', '.join(LEARNERS)}")
    return name


def known_contenders(written: Sequence[str]) -> tuple[Contender, ...]:
    """Learners there are, each once at the same number of steps."""
    from allocator.experiments.contender import Contender

    try:
        contenders = tuple(Contender.parse(each) for each in written)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    for contender in contenders:
        known_learner(contender.learner)
        if contenders.count(contender) > 1:
            raise typer.BadParameter(f"{contender.name} takes part twice")
    return contenders


def known_member(scenario: str) -> str:
    """The name of a member of the scenario's family."""
    from allocator.scenarios.settings import MEMBERS

    if scenario not in MEMBERS:
        raise typer.BadParameter(f"no scenario is called {scenario!r}: try {', '.join(MEMBERS)}")
    return scenario


def chosen_source(
    service: str | None, table: Path | None, folder: Path
) -> ServiceSource | RecordedSource:
    """Who gives rewards: a service, or a table of recorded opinions."""
    from allocator.rlli import RecordedSource, ServiceSource

    if service is not None and table is not None:
        raise typer.BadParameter("give either --service or --table, not both")
    if service is not None:
        return ServiceSource(service, folder / "kept" / "pictures")
    return RecordedSource(table)


def limited(
    source: ServiceSource | RecordedSource, judge_calls: int | None, *, by_estimates: bool = False
) -> ExperienceSource:
    """The source, under a budget of judge calls if there is one.

    by_estimates: outcomes are told as estimated, so that nobody is asked beyond the budget.
    """
    from allocator.judge_budget.source import BudgetedSource

    if judge_calls is None:
        return source
    return BudgetedSource(source, judge_calls, compared_by_estimates=by_estimates)
