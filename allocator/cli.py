"""`allocator`: train agents, hold them against each other, and the demo.

Heavy imports stand inside the commands, so that `allocator --help` answers at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.terminal import progress, say, tell

if TYPE_CHECKING:
    from allocator.comparison import ComparisonSettings
    from allocator.experiments import Findings
    from allocator.training import ExperienceSource


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    WRONG_CALL = 2
    UNREACHABLE = 3


app = typer.Typer(
    help="Allocators for an AI-generated-content edge, taught by a panel of personas.",
    epilog=(
        "Exit codes: 0 done; 1 it failed (nothing could be judged, a run broke off); "
        "2 called wrongly; 3 the QoE service cannot be reached."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

LEARNER_NAMES = "gddpg, ddpg, td3, sac or ppo."

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


@app.command()
def demo(
    out: Runs = Path("runs/demo"),
    short: Annotated[
        bool, typer.Option("--short", help="Train a little only, for checking that it runs.")
    ] = False,
    processes: Processes = 2,
    as_json: AsJson = False,
) -> None:
    """Start the service, train G-DDPG and DDPG with it as oracle, compare, write a report."""
    from allocator.comparison import ComparisonSettings
    from allocator.rlli import ServiceSource
    from allocator.service_process import running_service

    settings = (
        ComparisonSettings(
            folder=out, scenario="easy", processes=processes, steps=2_400, held_out_episodes=16
        )
        if short
        else ComparisonSettings(
            folder=out, scenario="easy", processes=processes, steps=10_000, held_out_episodes=32
        )
    )
    kept = _emptied(out)
    with (
        _errors_explained(),
        running_service(out / "service.log", cache=kept / "opinions") as url,
    ):
        findings = _compare(settings, ServiceSource(url, kept / "pictures"))
    tell(findings, out, as_json)


@app.command()
def compare(
    learners: Annotated[
        list[str] | None, typer.Argument(help="gddpg, ddpg, td3, sac, ppo.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Training runs of each learner.")] = 5,
    scenario: Scenario = "standard",
    steps: Steps = 16_000,
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    processes: Processes = 2,
    out: Runs = Path("runs/compare"),
    as_json: AsJson = False,
) -> None:
    """Train learners over seeds and hold them against chance, constants, greed and the optimum."""
    from allocator.comparison import ComparisonSettings

    with _errors_explained():
        settings = ComparisonSettings(
            folder=out,
            scenario=_member(scenario),
            learners=_known(learners or ["gddpg", "ddpg"]),
            seeds=tuple(range(1, seeds + 1)),
            steps=steps,
            held_out_episodes=episodes,
            processes=processes,
        )
        findings = _compare(settings, _source(service, table, out))
    tell(findings, out, as_json)


@app.command()
def train(
    learner: Annotated[str, typer.Argument(help=LEARNER_NAMES)] = "gddpg",
    seed: Annotated[
        int, typer.Option(min=0, help="Of the training episodes and the networks.")
    ] = 1,
    scenario: Scenario = "standard",
    steps: Steps = 16_000,
    service: Service = None,
    table: Table = None,
    out: Runs = Path("runs/train"),
    as_json: AsJson = False,
) -> None:
    """Train one learner; its checkpoint and TensorBoard log go into the folder."""
    from allocator.training import TrainingOrder
    from allocator.training import train as train_run

    with _errors_explained():
        _known([learner])
        order = TrainingOrder(
            learner=learner, seed=seed, steps=steps, folder=out, scenario=_member(scenario)
        )
        source = _source(service, table, out).open()
        with progress() as stages:
            stages.begin(f"training {order.name}", steps)
            run = train_run(order, source, stages.advance)
    told = {
        "learner": learner,
        "seed": seed,
        "checkpoint": str(order.checkpoint),
        "steps": run.steps.tolist(),
        "reward": run.reward.tolist(),
    }
    say(told, as_json, f"reward {run.reward[-1]:.3f} a slot; saved {order.checkpoint}")


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    learner: Annotated[str, typer.Option(help=LEARNER_NAMES)] = "gddpg",
    scenario: Scenario = "standard",
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """Play held-out episodes with a trained learner."""
    from allocator.evaluation import as_compared, held_out_seeds
    from allocator.evaluation import evaluate as evaluate_learner

    with _errors_explained():
        _known([learner])
        from allocator.agents.roster import load_learner

        source = _source(service, table, checkpoint.parent).open()
        played_in = as_compared(source.experience, _member(scenario))
        trained = load_learner(learner, checkpoint)
        played = evaluate_learner(played_in, trained, held_out_seeds(episodes))
    told = {
        "reward": float(played.total_reward.mean()) / played_in.settings.slots,
        "qoe": float(played.qoe.mean()),
        "energy_j": float(played.energy_j.mean()),
        "latency_s": float(played.latency_s.mean()),
        "budget_used": float(played.budget_used.mean()),
        "episodes": episodes,
    }
    say(told, as_json, "\n".join(f"{name:<12} {value:.4g}" for name, value in told.items()))


@app.command()
def scenarios(
    scenario: Scenario = "standard",
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """A scenario's card: what chance, a constant, greed and the optimum make of it."""
    from rich.console import Console
    from rich.table import Table as RichTable

    from allocator.evaluation import as_compared
    from allocator.scenarios.card import scenario_card

    with _errors_explained():
        source = _source(service, table, Path("runs/scenarios")).open()
        played_in = as_compared(source.experience, _member(scenario))
        card = scenario_card(played_in, name=scenario, episodes=episodes)
    if as_json:
        typer.echo(json.dumps(asdict(card)))
        return
    shown = RichTable(title=f"{card.scenario}, {card.episodes} held-out episodes", box=None)
    for head in ("", "of the way", "return", "QoE", "energy, J", "budget used", "latency, s"):
        shown.add_column(head, justify="right" if head else "left")
    for row in card.rows:
        reward = row.total_reward
        shown.add_row(
            row.name,
            f"{row.progress:.0%}",
            f"{reward.point:.2f} [{reward.low:.2f}, {reward.high:.2f}]",
            f"{row.qoe:.3f}",
            f"{row.energy_j:,.0f}",
            f"{row.budget_used:.0%}",
            f"{row.latency_s:.1f}",
        )
    Console().print(shown)
    typer.echo(f"No policy returns more than {card.bound:.2f}; the optimum is {card.gap:.2%} away.")


def _known(learners: list[str]) -> tuple[str, ...]:
    from allocator.agents.roster import LEARNERS

    unknown = [name for name in learners if name not in LEARNERS]
    if unknown:
        raise typer.BadParameter(f"no learner is called {unknown[0]!r}: try {', '.join(LEARNERS)}")
    return tuple(learners)


def _member(scenario: str) -> str:
    from allocator.scenarios.settings import MEMBERS

    if scenario not in MEMBERS:
        raise typer.BadParameter(f"no scenario is called {scenario!r}: try {', '.join(MEMBERS)}")
    return scenario


def _source(service: str | None, table: Path | None, folder: Path) -> ExperienceSource:
    from allocator.rlli import RecordedSource, ServiceSource

    if service is not None and table is not None:
        raise typer.BadParameter("give either --service or --table, not both")
    if service is not None:
        return ServiceSource(service, folder / "kept" / "pictures")
    return RecordedSource(table)


def _emptied(out: Path) -> Path:
    """A folder for what this run draws and hears, emptied first so that its counts are its own."""
    kept = out / "kept"
    for leftover in (kept, out / "tensorboard", out / "checkpoints"):
        shutil.rmtree(leftover, ignore_errors=True)
    kept.mkdir(parents=True)
    return kept


def _compare(settings: ComparisonSettings, source: ExperienceSource) -> Findings:
    from allocator.comparison import compare as run_comparison

    with progress() as stages:
        return run_comparison(settings, source, stages)


@contextmanager
def _errors_explained() -> Iterator[None]:
    """Expected failures become a line on stderr and an exit code; anything else is a bug."""
    from allocator.evaluation import NothingJudgedError
    from allocator.experience import UnjudgedError
    from allocator.service_process import ServiceNotReadyError
    from qoe_service.client import ServiceUnreachable
    from qoe_service.errors import QoEError

    try:
        yield
    except (ServiceUnreachable, ServiceNotReadyError) as error:
        _leave(error, ExitCode.UNREACHABLE)
    except (NothingJudgedError, UnjudgedError, QoEError, FileNotFoundError) as error:
        _leave(error, ExitCode.FAILED)


def _leave(error: Exception, code: ExitCode) -> None:
    typer.echo(f"allocator: {error}", err=True)
    raise typer.Exit(code)
