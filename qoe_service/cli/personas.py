"""`qoe personas`: the people of the panel."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.interview import interview
from qoe_service.cli.new_persona import new_persona
from qoe_service.cli.options import ApiKey, AsJson, Server
from qoe_service.cli.persona_card import show_persona
from qoe_service.cli.population import sample
from qoe_service.cli.shell import ExitCode, errors_explained, judges_at, print_json, show

if TYPE_CHECKING:
    from qoe_service.personas import Persona

app = typer.Typer(
    help="The people of the panel: list them, check their files, write or draw new ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("new")(new_persona)
app.command("show")(show_persona)
app.command()(sample)
app.command()(interview)


@app.command("list")
def list_personas(server: Server = None, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """Show every persona with its traits."""
    with errors_explained():
        found = _personas_at(server, api_key)
    if as_json:
        print_json(*found)
    else:
        from qoe_service.cli.console import persona_table

        show(persona_table(found))


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Default: the whole folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check persona files; each error is told as file:line:column."""
    if as_json:
        _check_for_programs(files or [])
        return
    with errors_explained():
        count = _checked_count(files or [])
    typer.echo(f"{count} persona {'file is' if count == 1 else 'files are'} right")


def _personas_at(server: str | None, api_key: str | None) -> tuple[Persona, ...]:
    if server is not None:
        with judges_at(server, api_key) as client:
            return client.personas()
    from qoe_service.personas import Registry
    from qoe_service.settings import Settings

    return Registry(Settings().personas).all()


def _check_for_programs(files: list[Path]) -> None:
    """One JSON document: whether the files are right, and each problem with its place."""
    from qoe_service.errors import PersonaFileError

    problems: list[dict[str, str | int]] = []
    with errors_explained():
        try:
            _checked_count(files)
        except PersonaFileError as error:
            problems = [asdict(problem) for problem in error.problems]
    typer.echo(json.dumps({"ok": not problems, "problems": problems}))
    if problems:
        raise typer.Exit(ExitCode.NEGATIVE)


def _checked_count(files: list[Path]) -> int:
    """How many persona files are right, if all of them are."""
    from qoe_service.errors import PersonaFileError, PersonaProblem
    from qoe_service.persona_files import load_persona, load_personas
    from qoe_service.personas import shipped_folder
    from qoe_service.settings import Settings

    if not files:
        return len(load_personas(Settings().personas or shipped_folder()))
    problems: list[PersonaProblem] = []
    for file in files:
        try:
            load_persona(file)
        except PersonaFileError as error:
            problems.extend(error.problems)
    if problems:
        raise PersonaFileError(problems)
    return len(files)
