"""Figures as inline SVG whose colours are the page's own, so they follow light and dark.

Matplotlib draws with placeholder colours; afterwards each placeholder becomes a CSS variable.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from numpy.typing import NDArray

from allocator.arrays import Floats
from allocator.report.drawing import (
    FAIRNESS,
    Theme,
    draw_curves,
    draw_fairness,
    draw_standings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from allocator.experiments.findings import LearningCurve
    from allocator.experiments.standings import Standings

INK, FAINT = "#010203", "#040506"
ACCENTS = ("#0a0101", "#0a0202", "#0a0303", "#0a0404", "#0a0505", "#0a0606", "#0a0707")
VARIABLES = {INK: "--ink", FAINT: "--line"} | {
    colour: f"--accent-{number}" for number, colour in enumerate(ACCENTS)
}
PAGE = Theme(
    ink=INK,
    accents=ACCENTS,
    dashes=("-",),
    markers=("o",),
    line_width=2,
    small=9,
    settings={
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
    },
)


def learning_curves(
    curves: Mapping[str, LearningCurve],
    references: Mapping[str, float],
    *,
    along: Callable[[LearningCurve], Floats],
    x_label: str,
    title: str,
) -> str:
    """Reward while training; `references` do not learn and are level lines."""
    with _drawing(title) as (figure, done):
        axes = figure.add_subplot()
        draw_curves(axes, curves, references, along=along, theme=PAGE)
        axes.set_xlabel(x_label)
    return done[0]


def standings_figure(standings: Standings, title: str) -> str:
    """Each agent's reward with its interval, beside greedy and the optimum."""
    with _drawing(title, height=1.0 + 0.36 * len(standings.agents)) as (figure, done):
        draw_standings(figure.add_subplot(), standings, PAGE)
    return done[0]


def fairness_figure(standings: Standings, title: str) -> str:
    """Who gets how much: a panel a measure."""
    with _drawing(title, height=0.8 + 0.32 * len(standings.agents)) as (figure, done):
        draw_fairness(figure.subplots(1, len(FAIRNESS)), standings, PAGE)
    return done[0]


def lines(
    x: Sequence[float],
    series: Mapping[str, NDArray[np.floating]],
    *,
    title: str,
    x_label: str,
    y_label: str,
) -> str:
    """Plain curves with direct labels: `series` maps a label to values of the length of `x`."""
    with _drawing(title, height=2.6) as (figure, done):
        axes = figure.add_subplot()
        for colour, (name, values) in zip(ACCENTS, series.items(), strict=False):
            axes.plot(x, values, color=colour, linewidth=2, marker="o", markersize=4, label=name)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend()
    return done[0]


@contextmanager
def _drawing(title: str, height: float = 3.4) -> Iterator[tuple[Figure, list[str]]]:
    """A figure to draw on; the finished SVG is in the list afterwards."""
    done: list[str] = []
    with mpl.rc_context({**PAGE.settings, "svg.hashsalt": title, "axes.facecolor": "none"}):
        figure = Figure(figsize=(7.6, height), layout="constrained")
        figure.patch.set_alpha(0)
        yield figure, done
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    done.append(_themed(written.getvalue(), title))


def _themed(svg: str, title: str) -> str:
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1, flags=re.S)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)
