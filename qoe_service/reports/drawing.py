"""SVG whose colours are the page's own, so that figures follow light and dark.

Matplotlib draws with placeholder colours; afterwards each of them becomes a CSS variable.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, BAND = "#010203", "#040506", "#070809"
BLUE, ORANGE = "#0a0101", "#0a0202"
GRADES = ("#0b0101", "#0b0202", "#0b0303", "#0b0404", "#0b0505")
"""From bad to excellent: a diverging scale that colour-blind people can read."""

VARIABLES = {INK: "--ink", FAINT: "--line", BAND: "--band", BLUE: "--blue", ORANGE: "--orange"} | {
    colour: f"--grade-{number}" for number, colour in enumerate(GRADES, start=1)
}

STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of items and raters are text, whatever is in them
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

WIDTH = 7.6

_one_at_a_time = threading.Lock()  # matplotlib's settings belong to the process


class Drawing:
    """Axes to draw on, and the finished SVG once the block has ended."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(title: str, height: float) -> Iterator[Drawing]:
    """A figure of the page's width and so many inches of height."""
    with _one_at_a_time, mpl.rc_context(STYLE | {"svg.hashsalt": title}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        drawn = Drawing(axes)
        yield drawn
        written = io.StringIO()
        with warnings.catch_warnings():  # the browser's font has what matplotlib's lacks
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    drawn.svg = _themed(written.getvalue(), title)


def _themed(svg: str, title: str) -> str:
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) xmlns:xlink="[^"]*"', r"\1", svg, count=1, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) xmlns="[^"]*"', r"\1", svg, count=1, flags=re.S)
    svg = svg.replace("xlink:href=", "href=")
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
