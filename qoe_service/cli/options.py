"""Options that several commands have in common."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of a table.")]
Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask this service instead of judging here.")
]
ApiKey = Annotated[str | None, typer.Option(envvar="QOE_API_KEY", help="Key for --server.")]
