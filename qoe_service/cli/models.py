"""`qoe models`: the CLIPs a judge can look through."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, show

app = typer.Typer(
    help="The CLIPs a judge can look through: list them, download one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_models(
    part: Annotated[str, typer.Argument(help="Only names with this in them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what QOE_CLIP can name, and whether the weights are on this machine."""
    from qoe_service.models import clip_models

    with errors_explained():
        found = clip_models(part)
    if as_json:
        for model in found:
            typer.echo(json.dumps(asdict(model)))
    else:
        from qoe_service.cli.console import model_table

        show(model_table(found))
    if not found:
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="As in 'ViT-B-32/laion2b_s34b_b79k'.")],
) -> None:
    """Download a CLIP, try it, and say how the service is told to use it."""
    from qoe_service.models import pull

    with errors_explained():
        pull(name)
    typer.echo(f"QOE_CLIP={name}")
