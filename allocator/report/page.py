"""Putting the report together: one HTML file that needs nothing but a browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from allocator.experiments.decision_cost import DECIDER_POWER_W
from allocator.experiments.findings import OPTIMUM, OURS, Findings
from allocator.experiments.intervals import Interval
from allocator.experiments.standings import (
    AtEqualSeconds,
    Duel,
    Standing,
    Standings,
    Summary,
    learning_seconds,
)
from allocator.report.contact_sheet import ContactSheet, as_html
from allocator.report.drawing import by_seconds, by_updates, yardsticks
from allocator.report.figures import fairness_figure, learning_curves, standings_figure
from allocator.report.names import label

EMPTY = "–"  # noqa: RUF001


@dataclass(frozen=True)
class PictureFigure:
    """A finished SVG with its caption."""

    svg: str
    caption: str


def compose(
    findings: Findings,
    standings: Standings,
    sheets: Sequence[ContactSheet],
    figures: Sequence[PictureFigure],
) -> str:
    """The whole page as one string."""
    references = yardsticks(findings, standings)
    template = Template(files("allocator.report").joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(f"Shared denoising at the edge: {findings.name}"),
        lead=escape(_lead(findings, standings)),
        key_figures=_key_figures(findings, standings),
        by_updates=learning_curves(
            findings.curves,
            references,
            along=by_updates,
            x_label="gradient updates, thousands",
            title="Reward by updates",
        ),
        by_seconds=learning_curves(
            findings.curves,
            references,
            along=by_seconds,
            x_label="seconds of collecting and learning",
            title="Reward by seconds",
        ),
        standings=standings_figure(standings, "Reward of every agent"),
        table=_table(standings),
        power=f"{DECIDER_POWER_W:.0f}",
        duels=_duels(standings),
        training=_training(findings),
        fairness=fairness_figure(standings, "Fairness of every agent"),
        fairness_table=_fairness_table(standings),
        picture_figures="".join(map(_card, figures)),
        sheets="".join(map(as_html, sheets)),
        cost=_cost(findings),
        manifest=escape(json.dumps(findings.manifest, indent=2, default=str)),
    )


def _lead(findings: Findings, standings: Standings) -> str:
    outcome = findings.outcomes[OPTIMUM]
    seeds = max(len(each.qoe) for each in findings.outcomes.values())
    return (
        "An allocator shares denoising steps, branch points and transmit power among users; "
        "a panel of personas looks at every picture, and their opinions are its only reward "
        f"(judged by {'; then '.join(findings.judges)}). "
        f"{seeds} training seeds, {outcome.qoe.shape[1]} held-out episodes. {standings.caution}"
    )


def _key_figures(findings: Findings, standings: Standings) -> str:
    oracle, generator = findings.oracle, findings.generator
    saved = 1 - generator.denoising_steps_run / max(generator.denoising_steps_unshared, 1)
    told = [
        (
            f"{standings.agents[agent].share_of_optimum.point:.1%}",
            f"of the optimum's reward: {label(agent)}",
        )
        for agent in findings.curves
    ]
    if generator.pictures:
        told += [
            (f"{generator.pictures:,}", "pictures generated"),
            (f"{saved:.0%}", "of denoising steps saved by sharing"),
        ]
    if oracle.judgments:
        told += [
            (f"{oracle.judgments:,}", "judgments asked for"),
            (f"{oracle.cached / oracle.judgments:.0%}", "of them served from cache"),
        ]
    told.append((_duration(findings.seconds.total), "from start to report"))
    return "".join(f"<div><b>{big}</b><span>{escape(small)}</span></div>" for big, small in told)


def _table(standings: Standings) -> str:
    heads = (
        "agent",
        "of the optimum",
        "way from random",
        "reward",
        "worst run",
        "QoE",
        "energy, kJ",
        "budget used",
        "latency, s",
        "decision, ms",
        "seeds",
    )
    rows = [
        (agent, (escape(label(agent)), *_standing(standings.agents[agent])))
        for agent in standings.order
    ]
    return _numbers(heads, rows)


def _standing(standing: Standing) -> tuple[str, ...]:
    told = standing.quantities
    share = min(max(standing.share_of_optimum.point, 0.0), 1.0)
    free = standing.decision_s is None
    return (
        f'<span class="way"><i style="--share:{share:.0%}"></i></span>'
        + _interval(standing.share_of_optimum, 1, percent=True),
        f"{standing.share_of_way.point:.0%}",
        _summary(told["reward"], 3),
        f"{standing.runs[0]:.3f}",
        _summary(told["qoe"], 3),
        _summary(told["energy_j"], 2, scale=1e-3),
        f"{told['budget_used'].iqm:.1%}",
        _summary(told["latency_s"], 1),
        "free" if free else f"{1000 * (standing.decision_s or 0.0):.2f}",
        str(told["reward"].seeds),
    )


def _duels(standings: Standings) -> str:
    """Ours against everyone, paired on the same episodes."""
    if OURS not in standings.duels:
        return ""
    heads = (
        f"{label(OURS)} against",
        "difference in reward",
        "gain",
        "gap to the optimum closed",
        "a run wins with probability",
        "difference at equal seconds",
    )
    duels = standings.duels[OURS]
    rows = [
        (agent, (escape(label(agent)), *_duel(duels[agent])))
        for agent in standings.order
        if agent in duels
    ]
    return _numbers(heads, rows)


def _duel(duel: Duel) -> tuple[str, ...]:
    return (
        _interval(duel.difference, 3, sign="+"),
        _interval(duel.relative_gain, 1, percent=True, sign="+"),
        _interval(duel.gap_closed, 0, percent=True),
        _interval(duel.improvement_probability, 2),
        _at_equal_seconds(duel.at_equal_seconds),
    )


def _at_equal_seconds(told: AtEqualSeconds | None) -> str:
    if told is None:
        return EMPTY
    found = told.difference
    return (
        f"{found.point:+.3f}<small>[{found.low:+.3f}, {found.high:+.3f}] "
        f"after {_duration(told.seconds)}</small>"
    )


def _training(findings: Findings) -> str:
    heads = ("learner", "slots of experience", "gradient updates", "seconds a run", "decision, ms")
    rows = [
        (
            agent,
            (
                escape(label(agent)),
                f"{curve.steps[-1]:,}",
                f"{curve.updates[-1]:,}",
                f"{learning_seconds(curve):,.0f}",
                f"{1000 * findings.decision_s[agent]:.2f}",
            ),
        )
        for agent, curve in findings.curves.items()
    ]
    return _numbers(heads, rows)


def _fairness_table(standings: Standings) -> str:
    heads = ("agent", "worst persona", "who that is", "10th percentile of users", "Jain index")
    rows = [
        (
            agent,
            (
                escape(label(agent)),
                _summary(standing.quantities["worst_persona"], 3),
                escape(standing.worst_served),
                _summary(standing.quantities["tenth_percentile"], 3),
                _summary(standing.quantities["jain"], 3),
            ),
        )
        for agent in standings.order
        for standing in (standings.agents[agent],)
    ]
    return _numbers(heads, rows)


def _numbers(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table of finished cells, our agent's row set apart."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        f"<tr{' class=' + chr(34) + 'ours' + chr(34) if agent == OURS else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for agent, cells in rows
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _summary(told: Summary, digits: int, *, scale: float = 1.0) -> str:
    ends = (scale * value for value in (told.iqm, told.low, told.high))
    return _interval(Interval(*ends), digits)


def _interval(told: Interval | None, digits: int, *, percent: bool = False, sign: str = "") -> str:
    if told is None:
        return EMPTY
    how = f"{sign},.{digits}{'%' if percent else 'f'}"
    point, low, high = (format(value, how) for value in (told.point, told.low, told.high))
    return f"{point}<small>[{low}, {high}]</small>"


def _card(figure: PictureFigure) -> str:
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>"
    return f'<figure class="card">{figure.svg}{caption}</figure>'


def _cost(findings: Findings) -> str:
    oracle, generator, seconds = findings.oracle, findings.generator, findings.seconds
    rows: list[tuple[str, Any]] = [
        ("pictures generated", f"{generator.pictures:,}"),
        ("denoising steps run", f"{generator.denoising_steps_run:,}"),
        (
            "denoising steps, had every picture been drawn alone",
            f"{generator.denoising_steps_unshared:,}",
        ),
        ("requests to the service", f"{oracle.requests:,}"),
        ("judgments asked for", f"{oracle.judgments:,}"),
        ("of these served from cache", f"{oracle.cached:,}"),
        ("judgments that failed", f"{oracle.failed:,}"),
        ("transitions masked because of them", f"{oracle.masked:,}"),
        ("generating, all processes", _duration(seconds.generating)),
        ("judging, all processes", _duration(seconds.judging)),
        ("playing episodes otherwise, all processes", _duration(seconds.collecting)),
        ("gradient updates, all processes", _duration(seconds.learning)),
        ("wall-clock, start to report", _duration(seconds.total)),
    ]
    body = "".join(f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in rows)
    return f'<table class="numbers"><tbody>{body}</tbody></table>'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
