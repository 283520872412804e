"""Figures as inline SVG whose colours are the page's own, so they follow light and dark.

Matplotlib draws with placeholder colours; afterwards each placeholder becomes a CSS variable.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from allocator.experiments import OPTIMUM, RANDOM, LearningCurve
from allocator.intervals import Summary, bootstrap, mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

INK, FAINT = "#010203", "#040506"
ACCENTS = ("#0a0101", "#0a0202", "#0a0303", "#0a0404", "#0a0505", "#0a0606")
VARIABLES = {INK: "--ink", FAINT: "--line"} | {
    colour: f"--accent-{number}" for number, colour in enumerate(ACCENTS)
}
STYLE: Any = {
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
}
LABEL_GAP = 0.065
"""Least distance of two labels, as a share of the axis."""

LABELS = {
    "gddpg": "G-DDPG",
    "ddpg": "DDPG",
    "optimum": "optimum",
    "random": "random",
    "greedy": "greedy",
    "constant": "best constant",
}


def label(agent: str) -> str:
    """An agent's name as people write it."""
    return LABELS.get(agent, agent)


def learning_curves(
    curves: Mapping[str, LearningCurve], references: Mapping[str, float], title: str
) -> str:
    """Mean reward against environment steps, with 95 % intervals over the training seeds.

    `references`: agents that do not learn, drawn as dashed lines.
    """
    with _drawing(title) as (axes, done):
        rng = np.random.default_rng(0)
        for colour, (agent, curve) in zip(ACCENTS, curves.items(), strict=False):
            middle, low, high = _band(curve.reward, rng)
            axes.fill_between(curve.steps, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(curve.steps, middle, color=colour, linewidth=2, label=label(agent))
        for reward in references.values():
            axes.axhline(reward, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.7)
        for agent, height in _apart(references, LABEL_GAP * float(np.ptp(axes.get_ylim()))).items():
            axes.annotate(
                label(agent),
                (1, height),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                verticalalignment="center",
                fontsize=9,
            )
        axes.set_xlabel("environment steps (slots)")
        axes.set_ylabel("mean reward of a held-out slot")
        axes.legend(loc="best")
    return done[0]


def standings(summaries: Mapping[str, Summary], title: str) -> str:
    """Each agent's reward with its interval, between random and the optimum."""
    order = sorted(summaries, key=lambda agent: summaries[agent].iqm)
    with _drawing(title, height=0.6 + 0.38 * len(order)) as (axes, done):
        for row, agent in enumerate(order):
            told = summaries[agent]
            colour = INK if agent in (OPTIMUM, RANDOM) else ACCENTS[0]
            axes.plot([told.low, told.high], [row, row], color=colour, linewidth=5, alpha=0.25)
            axes.plot(told.iqm, row, "o", color=colour, markersize=7)
        axes.set_yticks(range(len(order)), [label(agent) for agent in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("reward of a slot: interquartile mean and 95 % interval")
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
    with _drawing(title, height=2.6) as (axes, done):
        for colour, (name, values) in zip(ACCENTS, series.items(), strict=False):
            axes.plot(x, values, color=colour, linewidth=2, marker="o", markersize=4, label=name)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend()
    return done[0]


def _apart(heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """The heights of labels in rising order, pushed up until none covers another."""
    placed: dict[str, float] = {}
    lowest = -np.inf
    for name in sorted(heights, key=lambda each: heights[each]):
        placed[name] = max(heights[name], lowest)
        lowest = placed[name] + gap
    return placed


def _band(
    rewards: NDArray[np.floating], rng: np.random.Generator
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    intervals = [bootstrap(column, mean, rng, repetitions=500) for column in rewards.T]
    table = np.array([[each.point, each.low, each.high] for each in intervals])
    return table[:, 0], table[:, 1], table[:, 2]


@contextmanager
def _drawing(title: str, height: float = 3.4) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; the finished SVG is in the list afterwards."""
    done: list[str] = []
    with mpl.rc_context(STYLE | {"svg.hashsalt": title}):
        figure = Figure(figsize=(7.6, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        yield axes, done
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
