"""The report as one page that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from qoe_service.reports import figures
from qoe_service.reports.bounds import PEOPLE_SOS, PERSONA_BAND
from qoe_service.reports.messages import (
    Estimate,
    ItemOpinion,
    MosReport,
    RaterOpinion,
    Share,
    Source,
)
from qoe_service.reports.people_section import people_section
from qoe_service.reports.tables import card, figures_of, table, with_interval

_EFFECTS = (
    "The shaded band, 5 to 14 %, is what studies of people find that persons account for "
    "(Scott et al. 2016). Where nothing was rated twice, inconsistency is part of who likes what."
)
_MEANS = (
    "Dot: mean. Thick line: Student's interval. Thin line: the interval bounded by the scale, "
    "which does not look at the spread of so few ratings."
)
_DISTRIBUTIONS = "From the mildest to the severest. Ratings between two grades count as the nearer."
_TASTES = (
    "Over the raters: correlation of the trait with the taste for the feature. Blue: those high in "
    "the trait like it more; orange: less. Bold: the 95 % interval excludes 0, as one cell in "
    "twenty does by chance. ✓, ✗: with or against the sign of a replicated finding."
)


def compose(report: MosReport, *, title: str = "Mean opinion report") -> str:
    """The whole page."""
    template = Template(files("qoe_service.reports").joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(title),
        lead=escape(_lead(report)),
        key_figures=_key_figures(report),
        limits=_limits(report),
        mean_opinions=card(figures.mean_opinions(report.items), _MEANS),
        items=_items(report.items),
        effects=_effects(report),
        distributions=card(figures.distributions(report.raters), _DISTRIBUTIONS),
        raters=_raters(report.raters),
        tastes=_tastes(report),
        people=people_section(report),
        method=_method(report),
        sources=_sources(report.method.sources),
    )


def _lead(report: MosReport) -> str:
    told = report.method
    gaps = f"{told.missing:,} gaps" if told.missing else "no gaps"
    return (
        f"{told.items:,} items on the five-grade scale; {told.raters}; {told.ratings:,} ratings, "
        f"{gaps}."
    )


def _key_figures(report: MosReport) -> str:
    share = None if report.effects is None else report.effects.of_personas
    spread = None if report.spread is None else report.spread.a
    told = [
        (with_interval(report.mos, 2), "mean over items", ""),
        (with_interval(spread, 3), "SOS parameter: how far opinions spread", _beside_sos(spread)),
        (
            with_interval(share, 0, percent=True),
            "of the variance depends on who looks",
            _beside_band(share),
        ),
        (figures_of(report.raters), "raters rejected by screening", ""),
    ]
    return "".join(
        f"<div><b>{big}</b><span>{escape(small)}</span>"
        f"{f'<small>{escape(remark)}</small>' if remark else ''}</div>"
        for big, small, remark in told
    )


def _beside_sos(a: Estimate | None) -> str:
    low, high = PEOPLE_SOS
    if a is None:
        return ""
    where = "inside" if low <= a.point <= high else "outside"
    return f"{where} {low} to {high}, told of people (secondary source)"


def _beside_band(share: Share | None) -> str:
    low, high = PERSONA_BAND
    if share is None:
        return ""
    where = "inside" if low <= share.point <= high else "outside"
    return f"{where} the published band, {low:.0%} to {high:.0%}"


def _limits(report: MosReport) -> str:
    if not report.limits:
        return '<p class="none">Nothing is missing.</p>'
    told = "".join(f"<li>{escape(limit)}</li>" for limit in report.limits)
    return f'<div class="card limits"><ul>{told}</ul></div>'


def _items(items: Sequence[ItemOpinion]) -> str:
    anchored = any(item.anchored is not None for item in items)
    modelled = any(item.quality is not None for item in items)
    heads = ["item", "n", "MOS", "SD", "median", "% good or better", "% poor or worse"]
    heads += ["quality"] * modelled + ["on people's scale"] * anchored
    order = sorted(items, key=lambda item: -(item.mos.mean if item.mos else 0))
    return table(heads, (_item_row(item, modelled, anchored) for item in order))


def _item_row(item: ItemOpinion, modelled: bool, anchored: bool) -> list[str]:
    mos = item.mos
    told = None if mos is None else Estimate(point=mos.mean, low=mos.low, high=mos.high)
    row = [
        escape(item.item),
        str(mos.n if mos else 0),
        with_interval(told, 2),
        _number(item.sd),
        _number(item.median),
        with_interval(item.good_or_better, 0, percent=True),
        with_interval(item.poor_or_worse, 0, percent=True),
    ]
    row += [with_interval(item.quality, 2)] * modelled
    return row + [_number(item.anchored)] * anchored


def _effects(report: MosReport) -> str:
    if report.effects is None:
        return _absent("These ratings do not tell whence their variance comes; see above.")
    return card(figures.effect_shares(report.effects), _EFFECTS)


def _raters(raters: Iterable[RaterOpinion]) -> str:
    heads = ["rater", "n", "mean", "middle half", "bias", "inconsistency", "screening"]
    rows = []
    odd = []
    for rater in raters:
        _, first, _, third, _ = rater.quantiles
        rows.append(
            [
                escape(rater.rater),
                str(rater.ratings),
                f"{rater.mean:.2f}",
                f"{first:.1f} to {third:.1f}",
                with_interval(rater.bias, 2, signed=True),
                with_interval(rater.inconsistency, 2),
                escape(rater.remark or ("kept" if rater.rejected is False else "not screened")),
            ]
        )
        odd.append(bool(rater.rejected or rater.remark))
    return table(heads, rows, odd)


def _tastes(report: MosReport) -> str:
    if not report.tastes:
        return _absent("These ratings do not tell who likes what; see above.")
    return card(figures.tastes(report.tastes), _TASTES)


def _method(report: MosReport) -> str:
    told = report.method
    least, most = told.per_item
    facts = [
        ("test method", told.method),
        ("scale", told.scale),
        ("raters", told.raters),
        ("norms of their traits", ", ".join(told.norms) or "none"),
        ("items", f"{told.items:,}"),
        ("ratings", f"{told.ratings:,}, {least} to {most} an item, {told.missing:,} missing"),
        ("sessions", str(told.sessions)),
        ("conditions", told.conditions or "not told"),
        ("intervals", told.interval),
        ("written by", f"{told.written_by}, {told.created:%Y-%m-%d %H:%M} UTC"),
    ]
    rows = "".join(f"<tr><td>{name}</td><td>{escape(value)}</td></tr>" for name, value in facts)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def _sources(sources: Sequence[Source]) -> str:
    if not sources:
        return ""
    heads = ["tier", "judge", "revision", "prompt", "calibration", "ratings"]
    rows = [
        [
            *(
                escape(text or "none")
                for text in (each.tier, each.judge, each.revision, each.prompt, each.calibration)
            ),
            "" if each.ratings is None else f"{each.ratings:,}",
        ]
        for each in sources
    ]
    return f'<div class="card scroll">{table(heads, rows)}</div>'


def _absent(text: str) -> str:
    return f'<p class="none">{escape(text)}</p>'


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
