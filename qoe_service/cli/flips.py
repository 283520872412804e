"""`qoe judges flips`: does liking follow a trait as research says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import A_WEEK_S, AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from qoe_service.examination.flips import Flip, FlipReport
    from qoe_service.settings import Settings


def flips(
    tier: Annotated[str | None, typer.Option(help="This tier alone.")] = None,
    pairs: Annotated[
        int, typer.Option(min=2, max=200, help="Pictures of each feature, with and without.")
    ] = 16,
    people: Annotated[int, typer.Option(min=1, max=8, help="How many play each pole.")] = 4,
    seconds: Annotated[
        float, typer.Option(min=1, max=A_WEEK_S, help="How long a request to a judge may take.")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Raise one trait by two SD, all else equal: do the pictures win that research says would?

    Only findings that were replicated are asked about. Nothing is taken from the cache. Exits with
    1 unless every answer is as expected.
    """
    from qoe_service.settings import Settings

    with errors_explained():
        settings = Settings()
        found = _flipped(settings, (tier,) if tier else settings.tiers, pairs, people, seconds)
    if as_json:
        print_json(*found)
    else:
        show(flip_table(found))
    if not all(report.good for report in found):
        raise typer.Exit(ExitCode.NEGATIVE)


def _flipped(
    settings: Settings, tiers: Sequence[str], pairs: int, people: int, seconds: float
) -> list[FlipReport]:
    from qoe_service.cli.progress import progress_bar
    from qoe_service.examination.flips import flip_traits, judgments_for
    from qoe_service.examination.hearing import fresh_judge

    found = []
    total = judgments_for(pairs, people) * len(tiers)
    with progress_bar(f"{total:,} judgments by {', '.join(tiers)}", total) as advance:
        for each in tiers:
            with fresh_judge(settings, each) as judge:
                report = flip_traits(
                    judge, pairs=pairs, people=people, seconds=seconds, advance=advance
                )
            found.append(report)
    return found


def flip_table(reports: Sequence[FlipReport]) -> RenderableType:
    """A row per replicated finding, and below how many were met."""
    from rich.console import Group
    from rich.text import Text

    from qoe_service.cli.console import plain_table

    table = plain_table("tier", "trait +2 SD", "likes", "change", "95 % interval", "pairs")
    table.add_column("verdict")
    for report in reports:
        for flip in report.flips:
            alarming = flip.verdict is not None and flip.verdict != "as expected"
            verdict = flip.verdict.value if flip.verdict else "not asked"
            table.add_row(
                report.tier,
                flip.trait,
                _liking(flip),
                *_figures(flip),
                Text(verdict, style="bold red" if alarming else ""),
            )
        table.add_section()
    table.caption = "change: points of the 1-5 scale that pictures with the feature gain"
    notes = (Text(note) for report in reports for note in _notes(report))
    return Group(table, *notes, *(Text(_summary(report)) for report in reports))


def _figures(flip: Flip) -> tuple[str, str, str]:
    if flip.change is None:
        return ("-", "-", "-")
    interval = "-" if flip.low is None else f"{flip.low:+.2f} to {flip.high:+.2f}"
    return (f"{flip.change:+.2f}", interval, f"{flip.pairs_right} of {flip.pairs}")


def _notes(report: FlipReport) -> Iterator[str]:
    for flip in report.flips:
        if flip.reason:
            asked = "" if flip.verdict else " was not asked"
            yield f"{report.tier}, {flip.trait}, {_liking(flip)}{asked}: {flip.reason}"


def _liking(flip: Flip) -> str:
    return f"{flip.feature.replace('_', ' ')} {flip.expected}"


def _summary(report: FlipReport) -> str:
    cost = f"{report.judgments:,} judgments, {report.calls:,} calls of {report.judge}"
    if report.tokens:
        cost += f", {report.tokens:,} tokens"
    if report.hit_rate is None:
        return f"{report.tier}: nothing could be asked; {cost}"
    return (
        f"{report.tier}: {report.hits} of {report.asked} findings as expected, 95 % interval "
        f"{report.low:.0%} to {report.high:.0%}; {cost}"
    )
