"""The part of the page that sets the panel beside people."""

from __future__ import annotations

from html import escape

from qoe_service.reports import figures
from qoe_service.reports.messages import Anchored, BesidePeople, MosReport, Spread
from qoe_service.reports.tables import card, with_interval


def people_section(report: MosReport) -> str:
    """Comparison and anchoring, as far as there are any."""
    parts = []
    if report.people is not None:
        parts.append(_comparison(report.people))
    if report.anchoring is not None:
        parts.append(_anchoring(report.anchoring))
    return f"<h2>Beside people</h2>{''.join(parts)}" if parts else ""


def _comparison(found: BesidePeople) -> str:
    rows = [
        ("rank correlation (SRCC)", with_interval(found.srcc, 2)),
        ("correlation (PLCC)", with_interval(found.plcc, 2)),
        ("PLCC after a rising cubic (ITU-T P.1401)", with_interval(found.plcc_mapped, 2)),
        ("root mean square difference, points", with_interval(found.rmse, 2)),
        ("Kolmogorov-Smirnov distance of grades", with_interval(found.ks, 2)),
        (
            "SOS parameter of the panel",
            _spread(found.panel_spread),
        ),
        (
            "SOS parameter of people",
            _spread(found.people_spread),
        ),
    ]
    if found.retest is not None:
        rows += [
            ("panel with single people", with_interval(found.retest.accuracy, 2)),
            ("people with themselves", with_interval(found.retest.self_consistency, 2)),
            ("the one over the other", with_interval(found.retest.normalised, 2)),
        ]
    note = (
        f"{len(found.items)} items that both have rated; {found.people} people. Each dot is an "
        "item, the line perfect agreement. Intervals are over items like these."
    )
    return f'<div class="narrow">{card(figures.beside(found.items), note)}</div>{_facts(rows)}'


def _spread(found: Spread | None) -> str:
    return with_interval(None if found is None else found.a, 3)


def _anchoring(found: Anchored) -> str:
    rows = [
        ("people's mean opinion", f"{found.shift:.2f} + {found.scale:.2f} &times; the panel's"),
        ("of the fitted scale kept", f"{found.trust:.0%}"),
        ("anchors", escape(", ".join(found.anchors))),
        ("error on the anchors before", f"{found.error_before:.2f} points"),
        ("after, each told from the others", f"{found.error_after:.2f} points"),
    ]
    return _facts(rows)


def _facts(rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
    return f'<div class="card scroll"><table class="facts"><tbody>{body}</tbody></table></div>'
