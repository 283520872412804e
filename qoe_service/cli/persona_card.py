"""`qoe personas show`: one persona on a card."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained, fail, show

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.text import Text

    from qoe_service.persona_card import PersonaCard, TraitLine

WIDEST_Z = 3
"""Where the bars end; hardly anyone is beyond."""

CELLS = 8
"""Of a bar, on either side of average."""

Target = Annotated[str, typer.Argument(metavar="ID|FILE", help="Of the folder, or any file.")]


def show_persona(target: Target, as_json: AsJson = False) -> None:
    """Show a persona: its traits among people, what judges are told, its file and its hash."""
    from qoe_service.persona_card import persona_card
    from qoe_service.persona_files import read_persona

    with errors_explained():
        file = _file_of(target)
        reading = read_persona(file)
        card = persona_card(reading.checked, file, reading.fragments)
    if as_json:
        typer.echo(json.dumps(card.content()))
    else:
        show(card_panel(card))


def card_panel(card: PersonaCard) -> RenderableType:
    """The card for people."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    persona = card.persona
    parts = (
        Text(persona.about),
        Text(),
        trait_table(card.traits),
        Text(f"z-scores, and of 100 people how many are lower ({persona.norm})", style="dim"),
        Text(),
        _pairs(_circumstances(card)),
        Text(),
        Text("a judge that reads is told:", style="dim"),
        _pairs(list(vars(card.portrait).items())),
        Text(),
        _pairs(_origin(card)),
    )
    title = Text(f"{persona.name} ({persona.id})", style="bold")
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def trait_table(lines: Sequence[TraitLine]) -> RenderableType:
    """A row per trait: a bar from average to where it stands, the numbers, the adjective."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        numbers = (f"{line.z:+.2f}", percent(line.percentile))
        table.add_row(line.trait, TraitBar(line.z), *numbers, Text(line.words))
    return table


@dataclass(frozen=True)
class TraitBar:
    """A bar from the middle, which is average, to the right if high and to the left if low."""

    z: float

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        full, empty = (
            ("=", ".") if options.ascii_only else ("\N{BOX DRAWINGS HEAVY HORIZONTAL}", "·")
        )
        length = min(CELLS, round(abs(self.z) / WIDEST_Z * CELLS))
        half = full * length + empty * (CELLS - length)
        halves = (empty * CELLS, half) if self.z > 0 else (half[::-1], empty * CELLS)
        yield Text("|".join(halves), style="cyan" if self.z > 0 else "magenta")

    def __rich_measure__(self, _: Console, __: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        return Measurement(2 * CELLS + 1, 2 * CELLS + 1)


def percent(percentile: float) -> str:
    """A percentile as precisely as one can tell it apart from its neighbours."""
    if 1 <= percentile <= 99:
        return f"{percentile:.0f} %"
    if 0.1 <= percentile <= 99.9:
        return f"{percentile:.1f} %"
    return "< 0.1 %" if percentile < 50 else "> 99.9 %"


def _pairs(pairs: Sequence[tuple[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, min_width=len("conscientiousness"))
    table.add_column(overflow="fold")
    for key, value in pairs:
        table.add_row(key, Text(value))
    return table


def _circumstances(card: PersonaCard) -> list[tuple[str, str]]:
    persona = card.persona
    experience, viewing = persona.experience, persona.viewing
    return [
        ("experience", f"art {experience.art:g}, photography {experience.photography:g}"),
        ("viewing", f"{viewing.device}, {viewing.situation}"),
        ("patience", f"a wait of {persona.patience_s:g} s begins to annoy"),
        ("weight", f"{persona.weight:g}"),
    ]


def _origin(card: PersonaCard) -> list[tuple[str, str]]:
    included = [("includes", str(fragment)) for fragment in card.fragments]
    return [("file", str(card.file)), *included, ("hash", card.persona.content_hash[:16])]


def _file_of(target: str) -> Path:
    """The file itself, or that of an id in the personas' folder."""
    from qoe_service.persona_files import persona_files
    from qoe_service.personas import shipped_folder
    from qoe_service.settings import Settings

    path = Path(target)
    if len(path.parts) > 1 or path.suffix:
        return path
    folder = Settings().personas or shipped_folder()
    known = {file.stem: file for file in persona_files(folder)}
    if target not in known:
        near = difflib.get_close_matches(target, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`qoe personas list` lists them"
        fail(f"no persona {target!r} in {folder}; {hint}", ExitCode.WRONG_CALL)
    return known[target]
