"""`qoe judges check`: the judges examine themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import A_WEEK_S, AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from qoe_service.examination.checking import Examination, Examined
    from qoe_service.examination.stored import GoldenFile
    from qoe_service.settings import Settings


def check(
    tier: Annotated[str | None, typer.Option(help="This tier alone.")] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Values of your own judges.  [QOE_GOLDEN]"),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Store what the judges say now as what is right.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=1, max=A_WEEK_S, help="How long a request to a judge may take.")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Have every tier judge the golden set: has it drifted, does it discriminate, does it obey?

    Nothing is taken from the cache, and nothing is put into it. Exits with 1 unless all is well;
    values that were never stored are not well.
    """
    from qoe_service.examination.stored import (
        read_golden_file,
        shipped_values,
        store_golden_values,
    )
    from qoe_service.settings import Settings

    with errors_explained():
        settings = Settings()
        file = reference or settings.golden
        if accept and file is None:
            fail("QOE_GOLDEN is empty: give --reference FILE to accept into", ExitCode.WRONG_CALL)
        stored = (read_golden_file(file), shipped_values())
        examined = _examined(settings, (tier,) if tier else settings.tiers, stored, seconds)
        said = [each.values for each in examined if each.values]
        if accept and file is not None and said:
            store_golden_values(file, said)
    examinations = [each.examination for each in examined]
    if as_json:
        print_json(*examinations)
    else:
        show(examination_table(examinations))
        if accept and said:
            typer.echo(f"stored in {file}; the next check compares with it")
    if not all(_well(examination, drifted_or_not=accept) for examination in examinations):
        raise typer.Exit(ExitCode.NEGATIVE)


def _well(examination: Examination, *, drifted_or_not: bool) -> bool:
    """Whether all is as it should be; what was just accepted has not drifted."""
    from qoe_service.examination.verdicts import DRIFT

    findings = examination.findings
    return all(each.good or (drifted_or_not and each.check == DRIFT) for each in findings)


def _examined(
    settings: Settings, tiers: Sequence[str], stored: Sequence[GoldenFile], seconds: float
) -> list[Examined]:
    from qoe_service.cli.progress import progress_bar
    from qoe_service.examination.checking import STAGES, examine

    with progress_bar(f"examining {', '.join(tiers)}", STAGES * len(tiers)) as advance:
        return [examine(settings, tier, stored, seconds=seconds, advance=advance) for tier in tiers]


def examination_table(examinations: Sequence[Examination]) -> RenderableType:
    """A row per check, tier by tier."""
    from rich.console import Group
    from rich.text import Text

    from qoe_service.cli.console import plain_table

    table = plain_table("tier", "check", "verdict", "found")
    for examination in examinations:
        for finding in examination.findings:
            verdict = Text(finding.verdict.value, style="" if finding.good else "bold red")
            table.add_row(finding.tier, finding.check, verdict, Text(finding.said))
        table.add_section()
    table.caption = "points of the 1-5 scale; se: standard errors as stored"
    return Group(table, *(Text(line) for line in _costs(examinations)))


def _costs(examinations: Sequence[Examination]) -> Iterator[str]:
    for each in examinations:
        if each.calls:
            tokens = f", {each.tokens} tokens" if each.tokens else ""
            yield f"{each.tier}: {each.calls} calls of {each.judge}{tokens}"
