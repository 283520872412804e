"""`qoe report`: what ratings say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail, print_json, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qoe_service.persona import Persona
    from qoe_service.reports.study import Study

RatingFile = Annotated[
    Path | None,
    typer.Argument(
        exists=True, dir_okay=False, help="CSV with columns item, rater, score and maybe session."
    ),
]
_CSV = {"exists": True, "dir_okay": False, "metavar": "CSV"}


def report(
    ratings: RatingFile = None,
    human: Annotated[
        Path | None, typer.Option(**_CSV, help="People's ratings of the same items.")
    ] = None,
    anchors: Annotated[
        Path | None,
        typer.Option(**_CSV, help="People's ratings that the panel's means are laid on."),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            **_CSV,
            help="Column item, and a column of numbers for each feature. Unsaid: measured, where "
            "the items are picture files.",
        ),
    ] = None,
    population: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File of the people who rated."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of QOE_RECORD, with --run."),
    ] = None,
    run: Annotated[str | None, typer.Option(help="Report this recorded run.")] = None,
    conditions: Annotated[
        str | None, typer.Option(help="How the items came about, in words.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="HTML", dir_okay=False, help="Write a page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report mean opinions as ITU-T P.800.2 asks for: ratings from a file, or a recorded run.

    Raters who are personas of QOE_PERSONAS or of --population have their traits. What cannot be
    said is left out, and the report says why.
    """
    with errors_explained():
        if (ratings is None) == (record is None) or (record is None) != (run is None):
            fail("give either a file of ratings, or --record and --run", ExitCode.WRONG_CALL)
        people = _people(population)
        if ratings is not None:
            study = _study_of_file(ratings, people)
        else:
            study = _study_of_run(record, run, people)
        study = _completed(study, human, anchors, features, conditions)
        from qoe_service.reports.report import make_report

        found = make_report(study)
        if out is not None:
            from qoe_service.reports.page import compose

            out.write_text(compose(found), encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        from qoe_service.cli.report_tables import report_tables

        show(report_tables(found))
    if out is not None:
        typer.echo(f"wrote {out}", err=True)


def _people(population: Path | None) -> Mapping[str, Persona]:
    from qoe_service.personas import Registry
    from qoe_service.settings import Settings

    people = dict(Registry(Settings().personas).by_id())
    if population is not None:
        from qoe_service.population_files import read_population

        people |= {person.id: person for person in read_population(population).personas}
    return people


def _study_of_file(path: Path, people: Mapping[str, Persona]) -> Study:
    from qoe_service.ratings import read_sessions
    from qoe_service.reports.rating_file import sources_in
    from qoe_service.reports.study import Study

    sessions = read_sessions(path)
    raters = next(iter(sessions.values())).raters
    known = [people[rater] for rater in raters if rater in people]
    return Study(
        sessions=sessions,
        traits={persona.id: persona.traits for persona in known},
        norms=tuple(dict.fromkeys(persona.norm for persona in known)),
        sources=sources_in(path),
    )


def _study_of_run(folder: Path | None, run: str | None, people: Mapping[str, Persona]) -> Study:
    from qoe_service.reports.recorded import study_of_run

    assert folder is not None
    assert run is not None
    return study_of_run(folder, run, tuple(people.values()))


def _completed(
    study: Study,
    human: Path | None,
    anchors: Path | None,
    features: Path | None,
    conditions: str | None,
) -> Study:
    from dataclasses import replace

    from qoe_service.ratings import read_ratings, read_sessions
    from qoe_service.reports.features import features_of_files
    from qoe_service.reports.rating_file import numbers_of_items

    items = study.ratings.items
    return replace(
        study,
        conditions=conditions or study.conditions,
        features=features_of_files(items) if features is None else numbers_of_items(features),
        human=None if human is None else read_sessions(human),
        anchors=None if anchors is None else read_ratings(anchors),
    )
