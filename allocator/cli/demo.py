"""`allocator demo`: the whole loop with a service of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.ending import explained
from allocator.cli.options import AsJson, Processes, Runs
from allocator.cli.terminal import progress, tell


def demo(
    out: Runs = Path("runs/demo"),
    short: Annotated[
        bool, typer.Option("--short", help="Train a little only, for checking that it runs.")
    ] = False,
    processes: Processes = 2,
    as_json: AsJson = False,
) -> None:
    """Start the service, train G-DDPG and DDPG with it as oracle, compare, write a report."""
    with explained(next_time="it starts over with"):
        from allocator.experiments.compare import ComparisonSettings, compare
        from allocator.rlli import ServiceSource
        from allocator.service_process import running_service

        steps, episodes = (4_800, 16) if short else (10_000, 32)
        settings = ComparisonSettings(
            folder=out,
            scenario="easy",
            processes=processes,
            steps=steps,
            held_out_episodes=episodes,
        )
        kept = _emptied(out)
        with (
            running_service(out / "service.log", cache=kept / "opinions") as url,
            progress() as stages,
        ):
            findings = compare(settings, ServiceSource(url, kept / "pictures"), stages)
        tell(findings, out, as_json)


def _emptied(out: Path) -> Path:
    """A folder for what this run draws and hears, emptied first so that its counts are its own."""
    kept = out / "kept"
    for leftover in ("kept", "tensorboard", "checkpoints", "runs", "references"):
        shutil.rmtree(out / leftover, ignore_errors=True)
    (out / "spent.json").unlink(missing_ok=True)
    kept.mkdir(parents=True)
    return kept
