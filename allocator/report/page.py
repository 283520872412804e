"""Putting the report together: one HTML file that needs nothing but a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from allocator.experiments import (
    OPTIMUM,
    RANDOM,
    Findings,
    agent_summaries,
    gains,
    share_of_way,
)
from allocator.intervals import Summary
from allocator.report.contact_sheet import ContactSheet, as_html
from allocator.report.figures import label, learning_curves, standings

OURS = "gddpg"


@dataclass(frozen=True)
class PictureFigure:
    """A finished SVG with its caption."""

    svg: str
    caption: str


def write_report(
    findings: Findings,
    sheets: Sequence[ContactSheet],
    figures: Sequence[PictureFigure],
    folder: Path,
) -> Path:
    """Write `report.html` into `folder` and return its path."""
    path = folder / "report.html"
    path.write_text(compose(findings, sheets, figures), encoding="utf-8")
    return path


def compose(
    findings: Findings, sheets: Sequence[ContactSheet], figures: Sequence[PictureFigure]
) -> str:
    """The whole page as one string."""
    rng = np.random.default_rng(0)
    summaries = agent_summaries(findings, rng)
    reward = {agent: told["reward"] for agent, told in summaries.items()}
    references = {
        agent: told.mean for agent, told in reward.items() if agent not in findings.curves
    }
    template = Template(files("allocator.report").joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(f"Shared denoising at the edge: {findings.name}"),
        lead=escape(_lead(findings)),
        key_figures=_key_figures(findings),
        learning_curves=learning_curves(findings.curves, references, "Learning curves"),
        standings=standings(reward, "Reward of every agent"),
        table=_table(summaries, share_of_way(findings)),
        gain=_gain(findings, rng),
        picture_figures="".join(map(_card, figures)),
        sheets="".join(map(as_html, sheets)),
        cost=_cost(findings),
        manifest=escape(json.dumps(findings.manifest, indent=2, default=str)),
    )


def _lead(findings: Findings) -> str:
    outcome = findings.outcomes[OPTIMUM]
    seeds = max(len(each.qoe) for each in findings.outcomes.values())
    return (
        "An allocator shares denoising steps, branch points and transmit power among users; "
        "a panel of personas looks at every picture, and their opinions are its only reward "
        f"(judged by {'; then '.join(findings.judges)}). "
        f"{seeds} training seeds, {outcome.qoe.shape[1]} held-out episodes."
    )


def _key_figures(findings: Findings) -> str:
    oracle, generator = findings.oracle, findings.generator
    saved = 1 - generator.denoising_steps_run / max(generator.denoising_steps_unshared, 1)
    way = share_of_way(findings)
    told = [
        (f"{way[agent]:.0%}", f"of the way from random to optimum: {label(agent)}")
        for agent in findings.curves
    ]
    told += [
        (f"{generator.pictures:,}", "pictures generated"),
        (f"{oracle.judgments:,}", "judgments asked for"),
        (f"{oracle.cached / max(oracle.judgments, 1):.0%}", "of them served from cache"),
        (f"{saved:.0%}", "of denoising steps saved by sharing"),
        (_duration(findings.seconds.total), "from start to report"),
    ]
    return "".join(f"<div><b>{big}</b><span>{escape(small)}</span></div>" for big, small in told)


def _table(summaries: Mapping[str, Mapping[str, Summary]], way: Mapping[str, float]) -> str:
    heads = "".join(
        f"<th>{head}</th>"
        for head in (
            "agent",
            "of the way to optimum",
            "reward",
            "QoE",
            "energy, J an episode",
            "latency, s",
            "budget used",
            "seeds",
        )
    )
    order = sorted(summaries, key=lambda agent: -summaries[agent]["reward"].mean)
    rows = "".join(_table_row(agent, summaries[agent], way[agent]) for agent in order)
    return f'<table class="numbers"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _table_row(agent: str, told: Mapping[str, Summary], way: float) -> str:
    share = min(max(way, 0.0), 1.0)
    cells = (
        escape(label(agent)),
        f'<span class="way"><i style="--share:{share:.0%}"></i></span>{way:.0%}',
        _with_interval(told["reward"], 3),
        _with_interval(told["qoe"], 3),
        _with_interval(told["energy_j"], 0),
        _with_interval(told["latency_s"], 1),
        f"{told['budget_used'].mean:.0%}",
        str(told["qoe"].seeds),
    )
    ours = ' class="ours"' if agent == OURS else ""
    return f"<tr{ours}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _with_interval(told: Summary, digits: int) -> str:
    low, high = (f"{end:,.{digits}f}" for end in (told.low, told.high))
    return f"{told.iqm:,.{digits}f}<small>[{low}, {high}]</small>"


def _gain(findings: Findings, rng: np.random.Generator) -> str:
    """Paired on the same episodes: the honest way to say who is better."""
    if OURS not in findings.outcomes:
        return ""
    found = gains(findings, OURS, rng)
    parts = [
        f"{escape(label(agent))} {gain.point:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
        for agent, gain in found.items()
        if agent not in (OPTIMUM, RANDOM)
    ]
    return (
        f"{label(OURS)}'s mean reward, paired on the same episodes, against "
        + "; ".join(parts)
        + ". An interval that holds 0 shows no difference."
    )


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
        ("learning, all processes", _duration(seconds.learning)),
        ("wall-clock, start to report", _duration(seconds.total)),
    ]
    body = "".join(f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in rows)
    return f'<table class="numbers"><tbody>{body}</tbody></table>'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
