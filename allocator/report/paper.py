"""Figures for a paper: one column wide, as PDF and PNG, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from allocator.report.drawing import (
    FAIRNESS,
    YARDSTICKS,
    Theme,
    by_seconds,
    by_updates,
    draw_curves,
    draw_fairness,
    draw_standings,
    yardsticks,
)

if TYPE_CHECKING:
    from allocator.arrays import Floats
    from allocator.experiments.findings import Findings, LearningCurve
    from allocator.experiments.standings import Standings

COLUMN_IN = 3.5
PNG_DPI = 300
PAPER = Theme(
    ink="#000000",
    # From dark to light, so that they stay apart when printed in grey.
    accents=("#08306b", "#b8400e", "#2f8f4e", "#9a6fb0", "#c9a227", "#7f7f7f", "#3fb0c0"),
    dashes=(
        "-",
        (0, (5, 1.5)),
        (0, (1, 1)),
        (0, (5, 1.5, 1, 1.5)),
        (0, (3, 1, 1, 1, 1, 1)),
        (0, (8, 2)),
        (0, (2, 2)),
    ),
    markers=("o", "s", "^", "D", "v", "P", "X"),
    line_width=1.1,
    small=6.5,
    settings={
        "pdf.fonttype": 42,  # TrueType: many publishers refuse the default, Type 3
        "ps.fonttype": 42,
        "font.family": "sans-serif",
        "font.size": 8,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.5,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "legend.handlelength": 2.6,
    },
)


def write_paper_figures(findings: Findings, standings: Standings, folder: Path) -> None:
    """Write each figure into `folder` as PDF and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = partial(_curves, findings=findings, standings=standings)
    rows = len(standings.agents)
    figures: dict[str, tuple[float, Callable[[Figure], None]]] = {
        "learning-by-updates": (
            2.3,
            partial(curves, along=by_updates, x_label="gradient updates, thousands"),
        ),
        "learning-by-seconds": (
            2.3,
            partial(curves, along=by_seconds, x_label="seconds of collecting and learning"),
        ),
        "standings": (0.75 + 0.18 * rows, partial(_standings, standings=standings)),
        "fairness": (0.6 + 0.18 * rows, partial(_fairness, standings=standings)),
    }
    for name, (height_in, draw) in figures.items():
        _write(folder / name, height_in, draw)


def _curves(
    figure: Figure,
    *,
    findings: Findings,
    standings: Standings,
    along: Callable[[LearningCurve], Floats],
    x_label: str,
) -> None:
    axes = figure.add_subplot()
    idle = yardsticks(findings, standings)
    references = {agent: idle[agent] for agent in YARDSTICKS}
    draw_curves(axes, findings.curves, references, along=along, theme=PAPER)
    axes.set_xlabel(x_label)


def _standings(figure: Figure, *, standings: Standings) -> None:
    draw_standings(figure.add_subplot(), standings, PAPER)


def _fairness(figure: Figure, *, standings: Standings) -> None:
    draw_fairness(figure.subplots(1, len(FAIRNESS)), standings, PAPER)


@contextmanager
def paper_figure(height_in: float) -> Iterator[Figure]:
    """An empty figure of one column; what is drawn and saved in the block looks like a paper's."""
    with mpl.rc_context(PAPER.settings):
        figure = Figure(figsize=(COLUMN_IN, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def _write(path: Path, height_in: float, draw: Callable[[Figure], None]) -> None:
    with paper_figure(height_in) as figure:
        draw(figure)
        figure.savefig(path.with_suffix(".pdf"), metadata={"CreationDate": None})
        figure.savefig(path.with_suffix(".png"), dpi=PNG_DPI)
