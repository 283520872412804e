"""A report in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qoe_service.cli.console import plain_table
from qoe_service.reports.bounds import PEOPLE_SOS, PERSONA_BAND
from qoe_service.reports.messages import Estimate, MosReport, Share

_NOTHING = "-"
_MOST_ROWS = 40


def report_tables(report: MosReport) -> RenderableType:
    """Items from best to worst, raters, the figures of the whole, and what cannot be said."""
    return Group(
        _items(report), _raters(report), *map(Text, _figures(report)), *map(Text, _limits(report))
    )


def _items(report: MosReport) -> RenderableType:
    table = plain_table("mean opinions")
    for head in ("n", "MOS", "95 % interval", "SD", "good+", "poor-", "quality"):
        table.add_column(head, justify="right")
    order = sorted(report.items, key=lambda item: -(item.mos.mean if item.mos else 0))
    for item in order[:_MOST_ROWS]:
        mos = item.mos
        table.add_row(
            Text(item.item),
            str(mos.n if mos else 0),
            f"{mos.mean:.2f}" if mos else _NOTHING,
            f"{mos.low:.2f} to {mos.high:.2f}" if mos else _NOTHING,
            _NOTHING if item.sd is None else f"{item.sd:.2f}",
            _percent(item.good_or_better),
            _percent(item.poor_or_worse),
            _NOTHING if item.quality is None else f"{item.quality.point:.2f}",
        )
    return _with_rest(table, len(order))


def _raters(report: MosReport) -> RenderableType:
    table = plain_table("raters")
    for head in ("n", "mean", "bias", "inconsistency"):
        table.add_column(head, justify="right")
    table.add_column("screening")
    for rater in report.raters[:_MOST_ROWS]:
        table.add_row(
            Text(rater.rater),
            str(rater.ratings),
            f"{rater.mean:.2f}",
            _NOTHING if rater.bias is None else f"{rater.bias.point:+.2f}",
            _NOTHING if rater.inconsistency is None else f"{rater.inconsistency.point:.2f}",
            Text(rater.remark or ("kept" if rater.rejected is False else _NOTHING)),
        )
    return _with_rest(table, len(report.raters))


def _with_rest(table: Table, count: int) -> Table:
    if count > _MOST_ROWS:
        table.caption = f"and {count - _MOST_ROWS:,} more; --json and --out have all"
    return table


def _figures(report: MosReport) -> Iterator[str]:
    if report.mos is not None:
        yield f"mean over items: {_told(report.mos, '.2f')}"
    if report.spread is not None:
        low, high = PEOPLE_SOS
        yield f"SOS parameter: {_told(report.spread.a, '.3f')}; of people {low} to {high}"
    if report.effects is not None:
        low, high = PERSONA_BAND
        named = [
            ("of the variance: picture", report.effects.picture),
            ("rater", report.effects.persona),
            ("who likes what", report.effects.interaction),
            ("inconsistency", report.effects.residual),
            (f"all that depends on who looks (published: {low:.0%} to {high:.0%})",
             report.effects.of_personas),
        ]  # fmt: skip
        yield "; ".join(f"{name} {_told(share, '.0%')}" for name, share in named if share)
    if report.people is not None:
        people = report.people
        yield (
            f"beside people, {len(people.items)} items: SRCC {_told(people.srcc, '.2f')}, PLCC "
            f"{_told(people.plcc, '.2f')}, RMSE {_told(people.rmse, '.2f')}, KS "
            f"{_told(people.ks, '.2f')}"
        )
    if report.anchoring is not None:
        line = report.anchoring
        yield (
            f"anchored: {line.shift:.2f} + {line.scale:.2f} x the panel's mean, error "
            f"{line.error_before:.2f} before and {line.error_after:.2f} after"
        )


def _limits(report: MosReport) -> Iterator[str]:
    if report.limits:
        yield "\nwhat this cannot say:"
        yield from (f"- {limit}" for limit in report.limits)


def _percent(share: Estimate | None) -> str:
    return _NOTHING if share is None else f"{share.point:.0%}"


def _told(found: Estimate | Share | None, kind: str) -> str:
    if found is None:
        return _NOTHING
    if found.low is None or found.high is None:
        return f"{found.point:{kind}}"
    return f"{found.point:{kind}} [{found.low:{kind}}, {found.high:{kind}}]"
