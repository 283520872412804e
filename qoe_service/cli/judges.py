"""`qoe judges`: who judges, and how well."""

from __future__ import annotations

import typer

from qoe_service.cli.options import ApiKey, AsJson, Server
from qoe_service.cli.shell import ExitCode, errors_explained, judges_at, print_json, show

app = typer.Typer(
    help="Who judges: the ladder of tiers, best first, and which of them are ready.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


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
