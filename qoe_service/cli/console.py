"""What `qoe` shows to people: tables of opinions, personas and judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qoe_service.models import ClipModel
from qoe_service.personas import Persona
from qoe_service.provider.spending import Spending
from qoe_service.schemas import TRAITS, JudgeInfo, Judgment, MeanOpinionScore, Result
from qoe_service.settings import CHAT_TIERS

if TYPE_CHECKING:
    from qoe_service.judges.tier_comparison import Comparison

_NOTHING = "-"


def opinions(results: Iterable[Result]) -> RenderableType:
    """A table per picture, a row per persona, and the panel's MOS below."""
    return Group(*(_opinions_of(result) for result in results))


def persona_table(personas: Iterable[Persona]) -> Table:
    """A line per persona: its traits as z-scores, and as much of who it is as fits."""
    table = plain_table("id", "name")
    table.expand = True
    for trait in TRAITS:
        table.add_column(trait[:1].upper(), justify="right")
    table.add_column("about", no_wrap=True, overflow="ellipsis", ratio=1)
    for persona in personas:
        traits = (f"{z:+.1f}" for z in persona.traits.vector())
        table.add_row(persona.id, Text(persona.name), *traits, Text(persona.about))
    table.caption = ", ".join(f"{trait[:1].upper()} {trait}" for trait in TRAITS)
    return table


def judge_table(judges: Iterable[JudgeInfo]) -> RenderableType:
    """A row per rung of the ladder, best first, and below what keeps it from its best.

    Where one of them plays personas, `personas` tells what came of interviewing it.
    """
    rungs = tuple(judges)
    table = plain_table("tier", "judge", "revision", "ready", "scale")
    plays = any(judge.tier in CHAT_TIERS for judge in rungs)
    if plays:
        table.add_column("personas")
    for judge in rungs:
        ready = "yes" if judge.ready else "no"
        scale = "its own" if judge.own_scale else rungs[0].tier
        told = (judge.tier, judge.judge, judge.revision, ready, scale)
        table.add_row(*map(Text, told), *((_played(judge),) if plays else ()))
    return Group(table, *(Text(note) for judge in rungs for note in _judge_notes(judge)))


def spending_table(runs: Mapping[str, Spending]) -> RenderableType:
    """A row per run: what it spent on models."""
    if not runs:
        return Text("nothing was spent on models")
    table = plain_table("run")
    for column in ("calls", "tokens in", "tokens out", "money", "estimated", "refused"):
        table.add_column(column, justify="right")
    for name, spent in runs.items():
        table.add_row(
            Text(name),
            f"{spent.calls:,}",
            f"{spent.input_tokens:,}",
            f"{spent.output_tokens:,}",
            f"{spent.cost:,.4f}",
            f"{spent.estimated_calls:,}",
            f"{spent.refused:,}",
        )
    table.caption = (
        "estimated: calls whose model did not say what they cost; refused: questions that the "
        "budget did not allow"
    )
    return table


def comparison_table(comparisons: Iterable[Comparison]) -> RenderableType:
    """A row per lower tier: how it compares with the first one, and what its map leaves open."""
    table = Table("map")
    for column in ("opinions", "left out", "rank r", "residual", "level off"):
        table.add_column(column, justify="right")
    table.caption = (
        "residual: one SD, on pictures left out of the fit; level off: the mean before, and the "
        "standard error of it after; points of the 1-5 scale"
    )
    found = tuple(comparisons)
    for each in found:
        table.add_row(*_comparison_row(each))
    return Group(table, *(Text(note) for each in found for note in _comparison_notes(each)))


def plain_table(*columns: str) -> Table:
    """A table without frames, for what would not fit on 80 characters with them."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def model_table(models: Iterable[ClipModel]) -> Table:
    """A row per CLIP that `QOE_CLIP` can name."""
    table = Table("QOE_CLIP", "here", "note")
    for model in models:
        table.add_row(Text(model.name), "yes" if model.here else "no", Text(model.note))
    return table


def _judge_notes(judge: JudgeInfo) -> Iterator[str]:
    if not judge.ready:
        yield f"{judge.tier} is not ready: {judge.reason}"
    if judge.own_scale:
        yield f"{judge.tier} has a scale of its own: {judge.own_scale}"


def _comparison_row(comparison: Comparison) -> tuple[str, ...]:
    name = f"{comparison.lower.tier} as {comparison.primary.tier}"
    found, left_out = comparison.tier_map, str(comparison.left_out)
    if found is None:
        return (name, _NOTHING, left_out)
    return (
        name,
        f"{found.pairs} of {found.pictures}",
        left_out,
        f"{found.rank_correlation:.2f}",
        f"{found.residual_sd:.2f}",
        f"{found.level_off:+.2f} -> ±{found.level_se:.2f}",
    )


def _comparison_notes(comparison: Comparison) -> Iterator[str]:
    if comparison.refused is not None:
        yield f"no map: {comparison.refused}"
    if comparison.why is not None:
        yield f"left out for {comparison.lower.tier}, most often: {comparison.why}"


def _opinions_of(result: Result) -> RenderableType:
    table = Table("persona", title=Text(result.id), title_justify="left")
    for column in ("score", "se"):
        table.add_column(column, justify="right")
    for column in ("tier", "status"):
        table.add_column(column)
    for judgment in result.judgments:
        table.add_row(*_row(judgment))
    return Group(table, Text(_verdict(result)), Text())


def _played(judge: JudgeInfo) -> Text:
    unknown = "not interviewed" if judge.tier in CHAT_TIERS else _NOTHING
    return Text(judge.interview or unknown, style="bold red" if judge.interview == "fails" else "")


def _row(judgment: Judgment) -> tuple[str | Text, ...]:
    status = judgment.status.value + (f": {judgment.reason}" if judgment.reason else "")
    return (
        Text(judgment.persona),
        _number(judgment.score),
        _number(judgment.se),
        judgment.tier or _NOTHING,
        Text(status + (" (cached)" if judgment.cached else "")),
    )


def _verdict(result: Result) -> str:
    if result.mos is None:
        return f"MOS: none, {result.status.value}: {result.reason or 'no persona could judge it'}"
    written = "; writing seems to be laid over the picture" if result.text_overlay else ""
    return f"MOS {_interval(result.mos)}{written}"


def _interval(mos: MeanOpinionScore) -> str:
    return f"{mos.mean:.2f} of 5, 95 % interval {mos.low:.2f} to {mos.high:.2f}, n = {mos.n}"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"
