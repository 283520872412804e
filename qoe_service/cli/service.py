"""`qoe serve` and `qoe score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import ApiKey, AsJson, Server
from qoe_service.cli.population import Judges, who_judges
from qoe_service.cli.shell import ExitCode, errors_explained, judges_at, print_json, show

if TYPE_CHECKING:
    from qoe_service.schemas import ScoreRequest


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
) -> None:
    """Serve the REST API until interrupted. Settings come from QOE_ environment variables."""
    from qoe_service.serving import serve_until_stopped

    with errors_explained():
        serve_until_stopped(host, port, typer.echo)


def score(
    images: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    prompt: Annotated[str, typer.Option(help="What the pictures were asked to show.")],
    personas: Annotated[str | None, typer.Option(help="Who judges: ids, comma-separated.")] = None,
    panel: Annotated[int | None, typer.Option(min=1, help="Or a panel of so many.")] = None,
    population: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|ID", help="Of this population: a file, or one of the service's."
        ),
    ] = None,
    tier: Annotated[str | None, typer.Option(help="Force a tier, such as clip or pixel.")] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(metavar="CSV", dir_okay=False, help="Also write them for `qoe report`."),
    ] = None,
    server: Server = None,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Show what each persona thinks of each picture, and the panel's mean opinion score."""
    with errors_explained():
        request = _score_request(images, prompt, who_judges(personas, panel, population), tier)
        with judges_at(server, api_key) as scorer:
            reply = scorer.score(request)
        if ratings is not None:
            from qoe_service.reports.rating_file import ratings_csv

            ratings.write_text(ratings_csv(reply.results), encoding="utf-8")
    if as_json:
        print_json(reply)
    else:
        from qoe_service.cli.console import opinions

        show(opinions(reply.results))
    if all(result.mos is None for result in reply.results):
        raise typer.Exit(ExitCode.NEGATIVE)


def _score_request(
    images: list[Path], prompt: str, judges: Judges, tier: str | None
) -> ScoreRequest:
    from qoe_service.items import make_item
    from qoe_service.schemas import ScoreRequest

    items = tuple(make_item(image, prompt, id=str(image)) for image in images)
    return ScoreRequest(items=items, tier=tier, **judges._asdict())
