"""`qoe judges calibrate`: lower tiers learn the scale of the first."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail, print_json, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qoe_service.judges import Judge
    from qoe_service.judges.tier_comparison import CalibrationItem, Comparison
    from qoe_service.personas import Persona
    from qoe_service.settings import Settings

DRAWN = 120


class Items(NamedTuple):
    """What all tiers are asked about, and what it is called in the record."""

    named: str
    all: Sequence[CalibrationItem]


def calibrate(
    items: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            exists=True,
            dir_okay=False,
            help="Your own pictures: columns image (a path relative to the file) and prompt.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, help=f"Or so many drawn ones, damaged ones among them.  [{DRAWN}]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    personas: Annotated[str | None, typer.Option(help="Who judges: ids, comma-separated.")] = None,
    panel: Annotated[int | None, typer.Option(min=1, help="Or a panel of so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have all tiers judge the same pictures, and tell the lower ones on the scale of the first.

    The maps are kept in the file of QOE_CALIBRATION. A tier that does not follow the first one
    gets none. Opinions that are in the cache cost nothing; the others are charged to a run of
    their own.
    """
    from qoe_service.settings import Settings

    if items is not None and count is not None:
        fail("give either --items or --count, not both", ExitCode.WRONG_CALL)
    with errors_explained():
        settings = Settings()
        file = _place_for_maps(settings)
        people = _people(settings, personas, panel)
        chosen = _drawn(count or DRAWN, seed) if items is None else _own(items, settings)
        comparisons = _compared(settings, chosen, people)
        fitted = _store(file, comparisons)
    if as_json:
        print_json(*comparisons)
    else:
        from qoe_service.cli.console import comparison_table

        show(comparison_table(comparisons))
        if fitted:
            typer.echo(f"wrote {file}; a running service uses it once it is started again")
    if not fitted:
        raise typer.Exit(ExitCode.NEGATIVE)


def _place_for_maps(settings: Settings) -> Path:
    """The file of maps; a damaged one is found out before anything is asked."""
    from qoe_service.judges.tier_map_file import read_tier_maps

    if settings.calibration is None:
        fail("QOE_CALIBRATION is empty: there is no file to keep maps in", ExitCode.WRONG_CALL)
    read_tier_maps(settings.calibration)
    return settings.calibration


def _people(settings: Settings, names: str | None, size: int | None) -> tuple[Persona, ...]:
    from qoe_service.panel import choose_panel
    from qoe_service.personas import Registry
    from qoe_service.schemas import PanelRequest

    ids = None if names is None else tuple(name.strip() for name in names.split(","))
    request = PanelRequest(personas=ids, panel=size)
    panel = choose_panel(Registry(settings.personas), request.personas, request.panel)
    if panel.unknown:
        fail("; ".join(panel.unknown.values()), ExitCode.WRONG_CALL)
    return panel.personas


def _drawn(count: int, seed: int) -> Items:
    from qoe_service.judges.reference_set import draw_reference_set
    from qoe_service.judges.tier_comparison import CalibrationItem

    drawn = draw_reference_set(count, seed)
    pairs = zip(drawn.pictures, drawn.prompts, strict=True)
    return Items(drawn.name, [CalibrationItem.of(*pair) for pair in pairs])


def _own(file: Path, settings: Settings) -> Items:
    from qoe_service.item_files import read_items
    from qoe_service.judges.tier_comparison import CalibrationItem
    from qoe_service.scoring import image_limits

    found = read_items(
        file,
        image_limits(settings),
        max_prompt_characters=settings.max_prompt_characters,
    )
    return Items(file.name, [CalibrationItem(item.picture, item.prompt) for item in found])


def _compared(settings: Settings, items: Items, panel: Sequence[Persona]) -> tuple[Comparison, ...]:
    from qoe_service.cli.progress import progress_bar
    from qoe_service.judges.build import build_ladder
    from qoe_service.judges.tier_comparison import compare_tiers

    with closing(build_ladder(settings.model_copy(update={"calibration": None}))) as ladder:
        judges = ladder.judges
        _check_first(judges)
        tiers = ", ".join(judge.tier for judge in judges)
        what = f"{tiers}: {len(items.all)} pictures x {len(panel)} personas"
        with progress_bar(what, len(judges) * len(items.all)) as judged:
            return compare_tiers(
                judges,
                items.all,
                panel,
                named=items.named,
                run_id=f"calibration-{datetime.now(UTC):%Y%m%d-%H%M%S}",
                samples=settings.samples,
                judged=judged,
            )


def _check_first(judges: Sequence[Judge]) -> None:
    from qoe_service.errors import JudgeUnavailable

    first, *lower = judges
    if not lower:
        fail(f"QOE_TIERS is {first.tier} alone: nothing to calibrate to it", ExitCode.WRONG_CALL)
    try:
        first.check()
    except JudgeUnavailable as error:
        fail(f"{first.tier}, whose scale it is, is not ready: {error}", ExitCode.NEGATIVE)


def _store(file: Path, comparisons: Sequence[Comparison]) -> bool:
    """Whether there was a map to keep."""
    from qoe_service.judges.tier_map_file import store_tier_maps

    fitted = [each.stored for each in comparisons if each.stored is not None]
    if fitted:
        store_tier_maps(file, fitted)
    return bool(fitted)
