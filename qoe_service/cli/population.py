"""Populations in the shell: `qoe personas sample`, and asking a panel of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail

if TYPE_CHECKING:
    from qoe_service.persona import Persona


ID = r"[a-z][a-z0-9-]*"
"""What a service calls its populations; anything else is a file, which has an ending."""


def sample(
    count: Annotated[int, typer.Option("--n", help="How many people.")],
    norm: Annotated[
        str, typer.Option(help="Whose people: a published norm.")
    ] = "sapa-bfi25-adults",
    age: Annotated[
        str | None, typer.Option(metavar="YEARS", help="Their age, such as 21-40; any if unsaid.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same people for the same seed.")] = 0,
    spread: Annotated[
        float,
        typer.Option(help="Above 1: more of the extreme ones, with weights that make up for it."),
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Draw people from a published norm, and write them as a population file to standard output.

    Their traits have the norm's means, spreads and correlations. What they are is told on standard
    error.
    """
    with errors_explained():
        from qoe_service.population import sample_population
        from qoe_service.population_files import population_json, population_yaml, summary

        population = sample_population(norm, count, seed=seed, age=_years(age), spread=spread)
        text = population_json(population) + "\n" if as_json else population_yaml(population)
    typer.echo(text, nl=False)
    typer.echo(summary(population), err=True)


class Judges(NamedTuple):
    """Who is asked, in the words of a request."""

    personas: Sequence[str | Persona] | None
    panel: int | None
    population: str | None


def who_judges(personas: str | None, panel: int | None, population: str | None) -> Judges:
    """Whom the options name. A population in a file need not be one of the service's: its panel is
    drawn here, and goes along with the request."""
    names = None if personas is None else [name.strip() for name in personas.split(",")]
    if population is None or re.fullmatch(ID, population):
        return Judges(names, panel, population)
    if names is not None:
        fail("give either --personas or --population, not both", ExitCode.WRONG_CALL)
    from qoe_service.population_files import read_population

    return Judges(read_population(Path(population)).panel(panel), None, None)


def _years(age: str | None) -> tuple[int, int] | None:
    if age is None:
        return None
    found = re.fullmatch(r"(\d{1,3})-(\d{1,3})", age)
    if found is None:
        fail(f"--age is {age!r}; say the first and the last year, as in 21-40", ExitCode.WRONG_CALL)
    return int(found[1]), int(found[2])
