"""The pieces of HTML that the report's page is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from qoe_service.reports.messages import Estimate, RaterOpinion, Share

NOTHING = "&ndash;"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], odd: Sequence[bool] | None = None
) -> str:
    """Rows of finished cells; those that are odd stand out."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr{' class=odd' if odd and odd[number] else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for number, row in enumerate(rows)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def card(svg: str, caption: str) -> str:
    """A finished figure with what has to be said to it."""
    return f'<figure class="card">{svg}<figcaption>{escape(caption)}</figcaption></figure>'


def with_interval(
    found: Estimate | Share | None, digits: int, *, percent: bool = False, signed: bool = False
) -> str:
    """A figure and its interval, or a dash."""
    if found is None:
        return NOTHING
    kind = f"{'+' if signed else ''}.{digits}{'%' if percent else 'f'}"
    if found.low is None or found.high is None:
        return f"{found.point:{kind}}"
    return f"{found.point:{kind}}<small>{found.low:{kind}} to {found.high:{kind}}</small>"


def figures_of(raters: Sequence[RaterOpinion]) -> str:
    """How many of those screened were rejected."""
    screened = [rater for rater in raters if rater.rejected is not None]
    if not screened:
        return NOTHING
    rejected = sum(bool(rater.rejected) for rater in screened)
    return f"{rejected}<small>of {len(screened)}</small>"
