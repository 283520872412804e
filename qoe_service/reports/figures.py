"""The report's figures as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from qoe_service.reports.bounds import PERSONA_BAND
from qoe_service.reports.drawing import BAND, BLUE, FAINT, GRADES, INK, ORANGE, drawing
from qoe_service.reports.messages import (
    Effects,
    ItemOpinion,
    OpinionPair,
    RaterOpinion,
    TraitFactor,
)
from qoe_service.schemas import TRAITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 60
"""With more of them names cannot be read, and rows become ranks."""

LONGEST_NAME = 34

ROW_HEIGHT = 0.24


def mean_opinions(items: Sequence[ItemOpinion]) -> str:
    """Every item's mean with its intervals, from best to worst."""
    rated = sorted((item for item in items if item.mos), key=lambda item: item.mos.mean)  # type: ignore[union-attr]
    labelled = len(rated) <= MOST_ROWS
    height = 0.8 + ROW_HEIGHT * len(rated) if labelled else 4.5
    with drawing("Mean opinion scores with 95 % intervals", height) as drawn:
        axes = drawn.axes
        for row, item in enumerate(rated):
            assert item.mos is not None
            if item.bounded is not None:
                axes.plot(
                    [item.bounded.low, item.bounded.high], [row, row], color=INK, lw=1, alpha=0.35
                )
            axes.plot([item.mos.low, item.mos.high], [row, row], color=BLUE, lw=4, alpha=0.35)
            axes.plot(item.mos.mean, row, "o", color=BLUE, markersize=5 if labelled else 2)
        _scale(axes, "mean opinion score")
        _rows(axes, [item.item for item in rated], labelled)
    return drawn.svg


def distributions(raters: Sequence[RaterOpinion]) -> str:
    """Each rater's shares of the five grades, from the severest to the mildest."""
    order = sorted(raters, key=lambda rater: rater.mean)
    labelled = len(order) <= MOST_ROWS
    height = 1.1 + ROW_HEIGHT * len(order) if labelled else 4.5
    with drawing("Distribution of grades by rater", height) as drawn:
        axes = drawn.axes
        counts = np.array([rater.grades for rater in order], dtype=float)
        shares = counts / counts.sum(axis=1, keepdims=True)
        left = np.zeros(len(order))
        for grade, colour in enumerate(GRADES):
            axes.barh(
                np.arange(len(order)),
                shares[:, grade],
                left=left,
                color=colour,
                height=0.78 if labelled else 1.0,
                label=f"{grade + 1} {('bad', 'poor', 'fair', 'good', 'excellent')[grade]}",
            )
            left += shares[:, grade]
        if labelled:
            for row, rater in enumerate(order):
                axes.text(1.01, row, f"{rater.mean:.2f}", va="center", fontsize=9)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.set_xlabel("share of the rater's ratings; mean at the right")
        axes.grid(visible=False)
        axes.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=1)
        _rows(axes, [rater.rater for rater in order], labelled)
    return drawn.svg


def effect_shares(effects: Effects) -> str:
    """Whence the variance of ratings, with intervals and the published band of persons."""
    rows = [
        ("picture: what all agree on", effects.picture),
        ("rater: severity", effects.persona),
        ("rater by picture: who likes what", effects.interaction),
        ("inconsistency", effects.residual),
        ("all that depends on who looks", effects.of_personas),
    ]
    known = [(name, found) for name, found in rows if found is not None][::-1]
    with drawing("Effect budget", 0.8 + 0.34 * len(known)) as drawn:
        axes = drawn.axes
        axes.axvspan(*PERSONA_BAND, color=BAND, lw=0)
        for row, (_, share) in enumerate(known):
            if share.low is not None and share.high is not None:
                axes.plot([share.low, share.high], [row, row], color=BLUE, lw=4, alpha=0.35)
            axes.plot(share.point, row, "o", color=BLUE, markersize=6, clip_on=False)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.set_xlabel("share of the variance of ratings")
        _rows(axes, [name for name, _ in known], labelled=True)
    return drawn.svg


def tastes(factors: Sequence[TraitFactor]) -> str:
    """Trait by feature: who likes what."""
    features = list(dict.fromkeys(factor.feature for factor in factors))
    found = {(factor.feature, factor.trait): factor for factor in factors}
    with drawing("Tastes by trait and feature", 0.8 + 0.36 * len(features)) as drawn:
        axes = drawn.axes
        for row, feature in enumerate(features):
            for column, trait in enumerate(TRAITS):
                _cell(axes, row, column, found.get((feature, trait)))
        axes.set_xlim(-0.5, len(TRAITS) - 0.5)
        axes.set_ylim(len(features) - 0.5, -0.5)
        axes.set_xticks(range(len(TRAITS)), TRAITS)
        axes.xaxis.tick_top()
        axes.set_yticks(
            range(len(features)), [_short(feature.replace("_", " ")) for feature in features]
        )
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return drawn.svg


def beside(pairs: Sequence[OpinionPair]) -> str:
    """The panel's mean opinions against people's."""
    with drawing("Panel and people", 4.6) as drawn:
        axes = drawn.axes
        axes.plot([1, 5], [1, 5], color=INK, lw=0.8, linestyle=(0, (4, 3)), alpha=0.7)
        people, panel = [pair.people for pair in pairs], [pair.panel for pair in pairs]
        axes.plot(people, panel, "o", color=BLUE, markersize=6, alpha=0.75, markeredgewidth=0)
        _scale(axes, "people's mean opinion")
        axes.set_ylim(0.9, 5.1)
        axes.set_yticks(range(1, 6))
        axes.set_ylabel("the panel's mean opinion")
        axes.set_aspect("equal")
    return drawn.svg


def _cell(axes: Axes, row: int, column: int, factor: TraitFactor | None) -> None:
    corner = (column - 0.48, row - 0.46)
    if factor is None:
        axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor="none", edgecolor=FAINT))
        return
    r = factor.r
    colour = BLUE if r.point > 0 else ORANGE
    axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor=colour, alpha=0.75 * abs(r.point)))
    sure = r.low > 0 or r.high < 0
    axes.text(
        column,
        row,
        f"{r.point:+.2f}{_agreement(factor)}",
        ha="center",
        va="center",
        fontsize=10,
        fontweight="bold" if sure else "normal",
        alpha=1.0 if sure else 0.7,
    )


def _agreement(factor: TraitFactor) -> str:
    """Whether a replicated finding has this sign."""
    if not factor.replicated or factor.expected is None:
        return ""
    return " ✓" if factor.expected * factor.r.point > 0 else " ✗"


def _scale(axes: Axes, label: str) -> None:
    axes.set_xlim(0.9, 5.1)
    axes.set_xticks(range(1, 6), ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent"))
    axes.set_xlabel(label)


def _rows(axes: Axes, names: Sequence[str], labelled: bool) -> None:
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.grid(visible=False, axis="y")
    if labelled:
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
    else:
        axes.set_ylabel(f"rank of {len(names):,}")


def _short(name: str) -> str:
    """The end of a long name: files of one folder differ there. Nothing that cannot be printed."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    if len(printable) <= LONGEST_NAME:
        return printable
    return f"…{printable[-LONGEST_NAME + 1 :]}"
