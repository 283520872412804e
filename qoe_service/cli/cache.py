"""`qoe cache`: what the models have said already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail

if TYPE_CHECKING:
    from qoe_service.cache import VectorCache

app = typer.Typer(
    help="What the models have said already: how much is kept, and forgetting it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Show the folder of QOE_CACHE, its entries and its size."""
    with errors_explained(), _cache() as cache:
        found = cache.statistics()
    if as_json:
        kept = {"folder": found.folder, "entries": found.entries, "bytes": found.bytes}
        typer.echo(json.dumps(kept))
    else:
        typer.echo(f"{found.entries} entries, {found.bytes / 2**20:.1f} MiB in {found.folder}")


@app.command()
def clear(
    sure: Annotated[
        bool, typer.Option("--yes", prompt="Forget every vector in it?", help="Do not ask.")
    ],
) -> None:
    """Forget everything in the folder of QOE_CACHE; it is computed again when asked for."""
    if not sure:
        raise typer.Exit(ExitCode.NEGATIVE)
    with errors_explained(), _cache() as cache:
        cache.clear()
    typer.echo("cleared")


@contextmanager
def _cache() -> Iterator[VectorCache]:
    """The cache on disk that the settings name."""
    from qoe_service.cache import VectorCache
    from qoe_service.settings import Settings

    folder = Settings().cache
    if folder is None:
        fail("QOE_CACHE is empty: the cache is in each process's memory", ExitCode.WRONG_CALL)
    with closing(VectorCache(folder)) as cache:
        yield cache
