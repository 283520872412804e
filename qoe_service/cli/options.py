"""Options that several commands have in common."""

from __future__ import annotations

from typing import Annotated

import typer

A_WEEK_S = 604_800.0
"""The longest time that an option may allow: no clock waits for ever."""

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of a table.")]
Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask this service instead of judging here.")
]
ApiKey = Annotated[str | None, typer.Option(envvar="QOE_API_KEY", help="Key for --server.")]
