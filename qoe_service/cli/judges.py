"""`qoe judges`: who judges, how well, and what it costs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from qoe_service.cli.calibrate import calibrate
from qoe_service.cli.check import check
from qoe_service.cli.flips import flips
from qoe_service.cli.options import ApiKey, AsJson, Server
from qoe_service.cli.shell import ExitCode, errors_explained, fail, judges_at, print_json, show

app = typer.Typer(
    help="Who judges: the ladder of tiers, best first, and which of them are ready.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.command()(calibrate)
app.command()(check)
app.command()(flips)


@app.callback()
def ladder(
    context: typer.Context, server: Server = None, api_key: ApiKey = None, as_json: AsJson = False
) -> None:
    """Show the ladder of judges, best first, and which of them are ready."""
    if context.invoked_subcommand is not None:
        return
    with errors_explained(), judges_at(server, api_key) as scorer:
        found = scorer.judges()
    if as_json:
        print_json(*found)
    else:
        from qoe_service.cli.console import judge_table

        show(judge_table(found))
    if not any(judge.ready for judge in found):
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command()
def cost(
    run: Annotated[str | None, typer.Option(help="This run alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what each run has spent on models, as written down in the folder of QOE_CACHE."""
    from qoe_service.judges.parts import LEDGER
    from qoe_service.provider.day_files import read_entries
    from qoe_service.provider.spending import by_run
    from qoe_service.settings import Settings

    with errors_explained():
        folder = Settings().cache
        if folder is None:
            fail("QOE_CACHE is empty: nothing is written down", ExitCode.WRONG_CALL)
        runs = by_run(read_entries(folder / LEDGER))
    if run is not None:
        runs = {name: spending for name, spending in runs.items() if name == run}
    if as_json:
        for name, spending in runs.items():
            typer.echo(json.dumps({"run": name, **asdict(spending)}))
    else:
        from qoe_service.cli.console import spending_table

        show(spending_table(runs))
    if run is not None and not runs:
        raise typer.Exit(ExitCode.NEGATIVE)
