"""`qoe personas interview`: does the judge play its personas?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import A_WEEK_S, AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from qoe_service.interview.report import Interview, TraitReport
    from qoe_service.persona import Persona
    from qoe_service.settings import Settings
    from qoe_service.statistics.intervals import Interval

_NOTHING = "-"


def interview(
    judge: Annotated[str, typer.Option(metavar="TIER", help="Who is interviewed: vlm or llm.")],
    instrument: Annotated[
        str, typer.Option(help="mini-ipip (20 statements) or ipip-50.")
    ] = "mini-ipip",
    personas: Annotated[str | None, typer.Option(help="As whom: ids, comma-separated.")] = None,
    population: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Or as the people of a population file.  [all personas]"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=A_WEEK_S, help="How long all of it may take.")
    ] = 3_600.0,
    as_json: AsJson = False,
) -> None:
    """Interview a judge as its personas: are they who their files say, and people of their own?

    Each statement of the instrument is put to each persona twice, in different words. What comes
    of it is kept in the file of QOE_INTERVIEWS, and told with every judgment of that judge. Answers
    that are in the cache cost nothing; the others are charged to a run of their own. Exits with 1
    unless the personas hold.
    """
    from qoe_service.settings import Settings

    if personas is not None and population is not None:
        fail("give either --personas or --population, not both", ExitCode.WRONG_CALL)
    with errors_explained():
        settings = Settings()
        _check_file(settings)
        people = _people(settings, personas, population)
        found = _interviewed(settings, judge, people, instrument, seconds)
        stored = _store(settings, found)
    if as_json:
        print_json(found)
    else:
        show(interview_table(found))
        if stored:
            typer.echo(f"wrote {settings.interviews}; a running service uses it once started again")
    if found.verdict != "holds":
        raise typer.Exit(ExitCode.NEGATIVE)


def _check_file(settings: Settings) -> None:
    """A damaged file is found out before anything is asked."""
    from qoe_service.interview.stored import read_interviews

    read_interviews(settings.interviews)


def _people(settings: Settings, names: str | None, population: Path | None) -> Sequence[Persona]:
    from qoe_service.panel import choose_panel
    from qoe_service.personas import Registry

    if population is not None:
        from qoe_service.population_files import read_population

        return read_population(population).personas
    ids = None if names is None else tuple(name.strip() for name in names.split(","))
    panel = choose_panel(Registry(settings.personas), ids, None)
    if panel.unknown:
        fail("; ".join(panel.unknown.values()), ExitCode.WRONG_CALL)
    return panel.personas


def _interviewed(
    settings: Settings, tier: str, people: Sequence[Persona], name: str, seconds: float
) -> Interview:
    from qoe_service.cli.progress import progress_bar
    from qoe_service.errors import JudgeUnavailable
    from qoe_service.interview.asking import ADMINISTRATIONS
    from qoe_service.interview.instruments import load_instrument
    from qoe_service.interview.interviewing import interview, judge_to_be
    from qoe_service.judges import Deadline

    judge, instrument = judge_to_be(settings, tier), load_instrument(name)
    count = ADMINISTRATIONS * len(people) * len(instrument.statements)
    what = f"interviewing {judge.name} as {len(people)} personas, {instrument.title}"
    try:
        with progress_bar(what, count) as heard:
            return interview(
                settings,
                tier,
                people,
                instrument,
                run=f"interview-{datetime.now(UTC):%Y%m%d-%H%M%S}",
                deadline=Deadline.after_ms(int(1_000 * seconds)),
                heard=heard,
            )
    except JudgeUnavailable as error:
        fail(f"{judge.name} at {judge.revision}: {error}", ExitCode.UNREACHABLE)


def _store(settings: Settings, found: Interview) -> bool:
    """Whether there was something to keep, and a place for it."""
    from qoe_service.interview.report import to_be_stored
    from qoe_service.interview.stored import store_interview

    stored = to_be_stored(found, datetime.now(UTC).date())
    if stored is None or settings.interviews is None:
        return False
    store_interview(settings.interviews, stored)
    return True


def interview_table(found: Interview) -> RenderableType:
    """A row per trait; what is told of all of them, the reasons and the verdict below."""
    from rich.console import Group
    from rich.text import Text

    from qoe_service.cli.console import plain_table

    table = plain_table("trait")
    for column in ("r (95 %)", "gap", "alpha", "retest", "spread"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for trait in found.traits:
        verdict = trait.finding.verdict.value
        style = "bold red" if verdict == "fails" else ""
        table.add_row(*_row(trait), Text(verdict, style=style))
    table.caption = (
        "r: scores with what the personas are told; gap: r above the mean |r| with the other "
        "traits; retest: asked in other words; spread: SD over that of people with these z-scores"
    )
    return Group(table, *(Text(line) for line in _lines(found)))


def _row(trait: TraitReport) -> tuple[str, ...]:
    figures = trait.figures
    return (
        figures.trait,
        _with_interval(figures.convergent),
        _point(figures.gap),
        _point(figures.alpha),
        _point(figures.retest),
        _number(figures.spread_ratio),
    )


def _lines(found: Interview) -> Iterator[str]:
    panel = found.panel
    yield (
        f"{panel.personas} personas, {found.questions:,} questions ({found.cached:,} known), "
        f"{found.calls:,} calls, {found.tokens:,} tokens; read by {found.extraction}"
    )
    yield (
        f"mean gap {_with_interval(panel.gap)}; {panel.identical:.0%} answer as another does; "
        f"saying yes {_share(panel.agreeing)}, looking good {_share(panel.pleasing)} of the "
        f"variance (of what they are told {_share(panel.pleasing_told)}); "
        f"{_number(panel.dimensions)} dimensions ({_number(panel.dimensions_told)})"
    )
    for name, statements in found.left_out.items():
        yield f"not asked, for {name} is told these words: {' '.join(statements)}"
    for reason, count in found.failures.items():
        yield f"{count} without an answer: {reason}"
    for reason in found.finding.reasons:
        yield f"  {reason}"
    for trait in found.traits:
        for reason in trait.finding.reasons:
            yield f"  {trait.figures.trait}: {reason}"
    yield f"{found.judge.tier} ({found.judge.name}) {_verdict(found)}"


def _verdict(found: Interview) -> str:
    match found.verdict.value:
        case "holds":
            return "plays its personas: holds"
        case "fails":
            return "does not play its personas: fails"
    return "cannot be judged by this: too few to say; interview it as more personas"


def _with_interval(found: Interval | None) -> str:
    if found is None:
        return _NOTHING
    return f"{found.point:.2f} ({found.low:.2f}, {found.high:.2f})"


def _point(found: Interval | None) -> str:
    return _number(None if found is None else found.point)


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.0%}"
