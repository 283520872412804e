"""`qoe`: serve the service, ask it from the shell, look after personas.

Heavy imports stand inside the commands, so that `qoe --help` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.shell import ExitCode, errors_explained, fail, print_json, show

if TYPE_CHECKING:
    from qoe_service.cache import VectorCache
    from qoe_service.client import QoEClient
    from qoe_service.personas import Persona
    from qoe_service.schemas import ScoreRequest
    from qoe_service.scoring import Scorer


_EXIT_CODES = (
    "Exit codes: 0 done; 1 the answer is no (nothing could be judged, a persona file is wrong); "
    "2 called wrongly (options, settings, a refused request); 3 the service, or what is to be "
    "downloaded, cannot be reached."
)

app = typer.Typer(
    help="A panel of Big-Five personas says how good the experience of a picture is.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
personas_app = typer.Typer(
    help="The people of the panel: list them, check their files, write a new one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
cache_app = typer.Typer(
    help="What the models have said already: how much is kept, and forgetting it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
models_app = typer.Typer(
    help="The CLIPs a judge can look through: list them, download one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(personas_app, name="personas")
app.add_typer(models_app, name="models")
app.add_typer(cache_app, name="cache")

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of a table.")]
Server = Annotated[
    str | None, typer.Option(metavar="URL", help="Ask this service instead of judging here.")
]
ApiKey = Annotated[str | None, typer.Option(envvar="QOE_API_KEY", help="Key for --server.")]
Trait = Annotated[float, typer.Option(min=-4, max=4, prompt=True, help="z-score; 0 is average.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
) -> None:
    """Serve the REST API until interrupted. Settings come from QOE_ environment variables."""
    from qoe_service.serving import serve_until_stopped

    with errors_explained():
        serve_until_stopped(host, port, typer.echo)


@app.command()
def score(
    images: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    prompt: Annotated[str, typer.Option(help="What the pictures were asked to show.")],
    personas: Annotated[str | None, typer.Option(help="Who judges: ids, comma-separated.")] = None,
    panel: Annotated[int | None, typer.Option(min=1, help="Or a panel of so many.")] = None,
    tier: Annotated[str | None, typer.Option(help="Force a tier, such as clip or pixel.")] = None,
    server: Server = None,
    api_key: ApiKey = None,
    as_json: AsJson = False,
) -> None:
    """Show what each persona thinks of each picture, and the panel's mean opinion score."""
    with errors_explained():
        request = _score_request(images, prompt, personas, panel, tier)
        with _judges_at(server, api_key) as scorer:
            reply = scorer.score(request)
    if as_json:
        print_json(reply)
    else:
        from qoe_service.console import opinions

        show(opinions(reply.results))
    if all(result.mos is None for result in reply.results):
        raise typer.Exit(ExitCode.NEGATIVE)


@app.command()
def judges(server: Server = None, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """Show the ladder of judges, best first, and which of them are ready."""
    with errors_explained(), _judges_at(server, api_key) as scorer:
        found = scorer.judges()
    if as_json:
        print_json(*found)
    else:
        from qoe_service.console import judge_table

        show(judge_table(found))
    if not any(judge.ready for judge in found):
        raise typer.Exit(ExitCode.NEGATIVE)


@personas_app.command("list")
def list_personas(server: Server = None, api_key: ApiKey = None, as_json: AsJson = False) -> None:
    """Show every persona with its traits."""
    with errors_explained():
        found = _personas_at(server, api_key)
    if as_json:
        print_json(*found)
    else:
        from qoe_service.console import persona_table

        show(persona_table(found))


@personas_app.command()
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


@personas_app.command()
def new(
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="Also the file's name.")],
    name: Annotated[str, typer.Option(prompt=True, help="How the person is called.")],
    about: Annotated[str, typer.Option(prompt=True, help="Who this is, in a sentence or two.")],
    openness: Trait = 0.0,
    conscientiousness: Trait = 0.0,
    extraversion: Trait = 0.0,
    agreeableness: Trait = 0.0,
    neuroticism: Trait = 0.0,
    folder: Annotated[Path | None, typer.Option(help="Default: QOE_PERSONAS, or here.")] = None,
) -> None:
    """Write a new persona file with comments; what no option says is asked for."""
    from qoe_service.persona_writing import write_persona
    from qoe_service.personas import Persona
    from qoe_service.schemas import Traits
    from qoe_service.settings import Settings

    with errors_explained():
        traits = Traits(
            openness=openness,
            conscientiousness=conscientiousness,
            extraversion=extraversion,
            agreeableness=agreeableness,
            neuroticism=neuroticism,
        )
        persona = Persona(
            id=persona_id, name=name, about=about, traits=traits, norm="sapa-bfi25-adults"
        )
        path = write_persona(persona, folder or Settings().personas or Path())
    typer.echo(f"wrote {path}")


@models_app.command("list")
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
        from qoe_service.console import model_table

        show(model_table(found))
    if not found:
        raise typer.Exit(ExitCode.NEGATIVE)


@models_app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="As in 'ViT-B-32/laion2b_s34b_b79k'.")],
) -> None:
    """Download a CLIP, try it, and say how the service is told to use it."""
    from qoe_service.models import pull

    with errors_explained():
        pull(name)
    typer.echo(f"QOE_CLIP={name}")


@cache_app.command()
def stats(as_json: AsJson = False) -> None:
    """Show the folder of QOE_CACHE, its entries and its size."""
    with errors_explained(), _cache() as cache:
        found = cache.statistics()
    if as_json:
        kept = {"folder": found.folder, "entries": found.entries, "bytes": found.bytes}
        typer.echo(json.dumps(kept))
    else:
        typer.echo(f"{found.entries} entries, {found.bytes / 2**20:.1f} MiB in {found.folder}")


@cache_app.command()
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


def _score_request(
    images: list[Path], prompt: str, personas: str | None, panel: int | None, tier: str | None
) -> ScoreRequest:
    from qoe_service.items import make_item
    from qoe_service.schemas import ScoreRequest

    names = None if personas is None else tuple(name.strip() for name in personas.split(","))
    items = tuple(make_item(image, prompt, id=str(image)) for image in images)
    return ScoreRequest(items=items, personas=names, panel=panel, tier=tier)


def _judges_at(server: str | None, api_key: str | None) -> QoEClient | Scorer:
    if server is not None:
        from qoe_service.client import QoEClient

        return QoEClient(server, api_key=api_key)
    from qoe_service.scoring import Scorer
    from qoe_service.settings import Settings

    return Scorer.from_settings(Settings())


def _personas_at(server: str | None, api_key: str | None) -> tuple[Persona, ...]:
    if server is not None:
        with _judges_at(server, api_key) as client:
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


if __name__ == "__main__":
    app()
