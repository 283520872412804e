"""What the figures show, drawn on axes that a page or a paper brings along with its theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.arrays import Floats
from allocator.experiments.findings import OPTIMUM, RANDOM, Findings, LearningCurve
from allocator.experiments.intervals import drawn_runs, iqm, percentiles
from allocator.report.names import short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from allocator.experiments.standings import Standings, Summary

GREEDY = "greedy"
YARDSTICKS = (GREEDY, OPTIMUM)
LABEL_GAP = 0.075
"""Least distance of two labels, as a share of the axis."""

FEW = 4
"""So many curves leave no room for a legend among them."""

BESIDE = 0.3
"""How far below its agent's interval a run is drawn, and above it a remark, in rows."""

FAIRNESS = {
    "worst_persona": "worst persona",
    "tenth_percentile": "10th percentile",
    "jain": "Jain index",
}


@dataclass(frozen=True)
class Theme:
    """How a medium draws.

    ink: of what has no colour of its own. accents, dashes, markers: of the learners in their order,
    over and over. small: font size of labels. settings: matplotlib's.
    """

    ink: str
    accents: Sequence[str]
    dashes: Sequence[Any]
    markers: Sequence[str]
    line_width: float
    small: float
    settings: Any

    def line(self, number: int) -> dict[str, Any]:
        """The line of the learner with this number."""
        return {
            "color": self.accents[number % len(self.accents)],
            "linestyle": self.dashes[number % len(self.dashes)],
            "marker": self.markers[number % len(self.markers)],
            "linewidth": self.line_width,
            "markersize": 2 * self.line_width,
        }


def by_steps(curve: LearningCurve) -> Floats:
    """(points,) slots of experience."""
    return curve.steps.astype(np.float64)


def by_updates(curve: LearningCurve) -> Floats:
    """(points,) gradient updates, in thousands."""
    return curve.updates / 1000


def by_seconds(curve: LearningCurve) -> Floats:
    """(points,) seconds of collecting and learning, the median over the runs."""
    return np.asarray(np.median(curve.learning_s, axis=0))


def draw_curves(
    axes: Axes,
    curves: Mapping[str, LearningCurve],
    references: Mapping[str, float],
    *,
    along: Callable[[LearningCurve], Floats],
    theme: Theme,
) -> None:
    """IQM of the runs and its 95 % interval; references, who do not learn, as lines.

    What lies below all beginnings and ends of the learners is cut off.
    """
    for number, (agent, curve) in enumerate(curves.items()):
        line, where = theme.line(number), along(curve)
        middle, low, high = curve_band(curve.reward)
        axes.fill_between(where, low, high, color=line["color"], alpha=0.18, linewidth=0)
        axes.plot(where, middle, label=short_label(agent), **line)
    least = min(iqm(curve.reward[:, [0, -1]], axis=0).min() for curve in curves.values())
    shown = {agent: reward for agent, reward in references.items() if reward >= least}
    for agent, reward in shown.items():
        axes.axhline(reward, zorder=1, **yardstick(agent, theme))
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom=max(bottom, least - 0.05 * (top - least)))
    for agent, height in apart(shown, LABEL_GAP * float(np.ptp(axes.get_ylim()))).items():
        axes.annotate(
            short_label(agent),
            (1, height),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=theme.small,
        )
    axes.set_ylabel("reward of a held-out slot")
    if len(curves) < FEW:
        axes.legend(loc="best", fontsize=theme.small)
    else:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=theme.small, ncols=FEW)


def draw_standings(axes: Axes, standings: Standings, theme: Theme) -> None:
    """Each agent's reward with its interval and its runs as dots below it; greedy and the optimum
    are lines to measure by."""
    agents = [agent for agent in reversed(standings.order) if agent not in YARDSTICKS]
    shown = {agent: standings.agents[agent] for agent in agents}
    rewards = {agent: standing.quantities["reward"] for agent, standing in shown.items()}
    learners = tuple(standings.duels)
    runs = {agent: shown[agent].runs for agent in agents if agent in learners}
    draw_intervals(axes, rewards, learners=learners, theme=theme)
    _draw_runs(axes, runs, agents, learners, theme)
    _cut_depths(axes, rewards, runs, theme)
    for agent in YARDSTICKS:
        reward = standings.agents[agent].quantities["reward"].iqm
        axes.axvline(reward, **yardstick(agent, theme))
        axes.annotate(
            short_label(agent),
            (reward, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-2 if agent == GREEDY else 2, 3),
            textcoords="offset points",
            horizontalalignment="right" if agent == GREEDY else "left",
            fontsize=theme.small,
        )
    axes.set_xlabel("reward: IQM, 95 % interval; dots: runs")


def _draw_runs(
    axes: Axes,
    runs: Mapping[str, Sequence[float]],
    rows: Sequence[str],
    learners: Sequence[str],
    theme: Theme,
) -> None:
    for agent, worth in runs.items():
        axes.plot(
            worth,
            [rows.index(agent) - BESIDE] * len(worth),
            color=theme.line(learners.index(agent))["color"],
            linestyle="",
            marker="o",
            markersize=1.5 * theme.line_width,
            markeredgewidth=0,
            alpha=0.6,
        )


def _cut_depths(
    axes: Axes,
    rewards: Mapping[str, Summary],
    runs: Mapping[str, Sequence[float]],
    theme: Theme,
) -> None:
    """Where chance, or runs that went wrong, lie so low that they press all others together, cut
    the axis and tell what lies beyond."""
    others = [reward.iqm for agent, reward in rewards.items() if agent != RANDOM]
    left, right = axes.get_xlim()
    if not others or left > 2 * min(others) - right:
        return
    left = min(others) - 0.1 * (right - min(others))
    axes.set_xlim(left=left)
    for row, (agent, reward) in enumerate(rewards.items()):
        beyond = sum(run < left for run in runs.get(agent, ()))
        if reward.iqm < left:
            _point_beyond(axes, row, f"{reward.iqm:.2f}", theme)
        elif beyond:
            _point_beyond(axes, row + BESIDE, f"{beyond} of {len(runs[agent])} runs", theme)


def _point_beyond(axes: Axes, height: float, text: str, theme: Theme) -> None:
    axes.annotate(
        f"\N{LEFTWARDS ARROW} {text}",
        (0, height),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        verticalalignment="center",
        fontsize=theme.small,
    )


def draw_fairness(panels: Sequence[Axes], standings: Standings, theme: Theme) -> None:
    """One panel a measure of fairness, one row an agent, in the order of their rewards."""
    agents = [agent for agent in reversed(standings.order) if agent != RANDOM]
    for axes, (quantity, title) in zip(panels, FAIRNESS.items(), strict=True):
        told = {agent: standings.agents[agent].quantities[quantity] for agent in agents}
        draw_intervals(axes, told, learners=tuple(standings.duels), theme=theme)
        axes.set_title(title, fontsize=theme.small)
        axes.margins(x=0.15)  # so that the outermost ticks of two panels do not touch
        axes.locator_params(axis="x", nbins=2)
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)


def draw_intervals(
    axes: Axes, told: Mapping[str, Summary], *, learners: Sequence[str], theme: Theme
) -> None:
    """One row an agent, from the bottom: a bar for the interval, a point for the IQM."""
    for row, (agent, summary) in enumerate(told.items()):
        line = theme.line(learners.index(agent)) if agent in learners else {"marker": "o"}
        colour = line.get("color", theme.ink)
        ends = [summary.low, summary.high]
        axes.plot(
            ends,
            [row, row],
            color=colour,
            linewidth=theme.line_width,
            marker="|",
            markersize=4.5 * theme.line_width,
        )
        axes.plot(
            summary.iqm,
            row,
            color=colour,
            marker=line["marker"],
            markersize=2.8 * theme.line_width,
        )
    axes.set_yticks(range(len(told)), [short_label(agent) for agent in told])
    axes.set_ylim(-0.6, len(told) - 0.4)
    axes.grid(visible=False, axis="y")


def yardstick(agent: str, theme: Theme) -> dict[str, Any]:
    """The line of one who does not learn: solid for the optimum, dashed for the others."""
    solid = agent == OPTIMUM
    return {
        "color": theme.ink,
        "linewidth": 0.9 if solid else 0.7,
        "linestyle": "-" if solid else (0, (4, 3)),
        "alpha": 0.8,
    }


def yardsticks(findings: Findings, standings: Standings) -> dict[str, float]:
    """The IQM of everyone who does not learn."""
    return {
        agent: standing.quantities["reward"].iqm
        for agent, standing in standings.agents.items()
        if agent not in findings.curves
    }


def curve_band(reward: Floats) -> tuple[Floats, Floats, Floats]:
    """(runs, points) rewards to IQM, low and high, all (points,); the runs are drawn anew."""
    replicas = iqm(reward[drawn_runs(len(reward), np.random.default_rng(0))], axis=1)
    low, high = percentiles(replicas[1:])
    return replicas[0], low, high


def apart(heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """The heights of labels in falling order, pushed down until none covers another."""
    placed: dict[str, float] = {}
    highest = np.inf
    for name in sorted(heights, key=lambda each: -heights[each]):
        placed[name] = min(heights[name], highest)
        highest = placed[name] - gap
    return placed
