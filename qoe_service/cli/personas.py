"""`qoe personas`: the people of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from qoe_service.cli.check_personas import check_personas
from qoe_service.cli.interview import interview
from qoe_service.cli.new_persona import new_persona
from qoe_service.cli.options import ApiKey, AsJson, Server
from qoe_service.cli.persona_card import show_persona
from qoe_service.cli.population import sample
from qoe_service.cli.shell import errors_explained, judges_at, print_json, show

if TYPE_CHECKING:
    from qoe_service.personas import Persona

app = typer.Typer(
    help="The people of the panel: list them, check their files, write or draw new ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


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


app.command("show")(show_persona)
app.command("new")(new_persona)
app.command("check")(check_personas)
app.command()(sample)
app.command()(interview)


def _personas_at(server: str | None, api_key: str | None) -> tuple[Persona, ...]:
    if server is not None:
        with judges_at(server, api_key) as client:
            return client.personas()
    from qoe_service.personas import Registry
    from qoe_service.settings import Settings

    return Registry(Settings().personas).all()
