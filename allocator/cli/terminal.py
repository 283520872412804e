"""What the shell is shown: progress on stderr, a table or JSON on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from allocator.experiments.findings import Findings


class Bars:
    """Each stage as a bar with the time it has taken and the time it will take."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task: Any = None

    def begin(self, what: str, total: int) -> None:
        """Start the next stage."""
        self._task = self._bars.add_task(f"{what:<34}", total=total)

    def advance(self, steps: int) -> None:
        """Move the present stage on."""
        self._bars.advance(self._task, steps)


class Lines:
    """Each stage as a line at every tenth, for logs and pipes."""

    def __init__(self) -> None:
        self._what, self._total, self._done, self._began_s = "", 0, 0, 0.0

    def begin(self, what: str, total: int) -> None:
        """Start the next stage."""
        self._what, self._total, self._done = what, total, 0
        self._began_s = time.monotonic()
        self._say("begun")

    def advance(self, steps: int) -> None:
        """Move the present stage on."""
        tenths = self._tenths()
        self._done += steps
        if self._tenths() > tenths:
            took_s = time.monotonic() - self._began_s
            left_s = took_s * max(0, self._total - self._done) / self._done
            self._say(f"{self._done} of {self._total}, {took_s:.0f} s, {left_s:.0f} s left")

    def _tenths(self) -> int:
        return 10 * self._done // max(1, self._total)

    def _say(self, text: str) -> None:
        typer.echo(f"{self._what}: {text}", err=True)


@contextmanager
def progress() -> Iterator[Bars | Lines]:
    """What is going on while the block runs: bars for a terminal, lines for anything else."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from qoe_service.cli.progress import progress_bars

    with progress_bars() as bars:
        yield Bars(bars)


def tell(findings: Findings, out: Path, as_json: bool) -> None:
    """An experiment's findings: the standings as a table, or the summary as JSON."""
    from rich.console import Console
    from rich.table import Table as RichTable

    from allocator.experiments.standings import standings_of
    from allocator.experiments.summary import summary

    standings = standings_of(findings)
    if as_json:
        typer.echo(json.dumps(summary(findings, standings)))
        return
    table = RichTable(box=None, header_style="bold")
    for head in (
        "agent",
        "of the optimum",
        "reward",
        "95 % interval",
        "worst run",
        "QoE",
        "budget",
    ):
        table.add_column(head, justify="left" if head == "agent" else "right")
    for name in standings.order:
        standing = standings.agents[name]
        told = standing.quantities
        table.add_row(
            name,
            f"{standing.share_of_optimum.point:.1%}",
            f"{told['reward'].iqm:.3f}",
            f"{told['reward'].low:.3f} to {told['reward'].high:.3f}",
            f"{standing.runs[0]:.3f}",
            f"{told['qoe'].iqm:.3f}",
            f"{told['budget_used'].iqm:.0%}",
        )
    Console().print(table)
    if standings.caution:
        typer.echo(standings.caution)
    for name, budgets in findings.budgets.items():
        alarms = sum(budget.alarm for budget in budgets)
        most = max(budget.calls for budget in budgets)
        typer.echo(
            f"{name}: at most {most} judge calls a run; surrogate and judges parted in "
            f"{alarms} of {len(budgets)} runs" + (", do not trust them" if alarms else "")
        )
    typer.echo(f"report: {out / 'report.html'}")


def say(told: dict[str, Any], as_json: bool, text: str) -> None:
    """The same told twice: as JSON for programs, as text for people."""
    typer.echo(json.dumps(told) if as_json else text)
