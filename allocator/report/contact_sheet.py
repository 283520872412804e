"""Sheets of pictures with what four personas think under each."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Row:
    """One prompt along the sheet: pictures (columns, H, W, 3) uint8, rewards (columns, personas).

    A reward that is NaN was not given; the sheet shows it as missing, not as bad.
    """

    label: str
    detail: str
    pictures: NDArray[np.uint8]
    rewards: NDArray[np.floating]


@dataclass(frozen=True)
class ContactSheet:
    """Rows of pictures that differ, column by column, in one thing only."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    personas: tuple[str, ...]
    rows: tuple[Row, ...]


def as_html(sheet: ContactSheet) -> str:
    """The sheet as a block of HTML; its pictures are inside it as PNG."""
    legend = " ".join(
        f'<span class="who"><i class="dot p{i}"></i>{escape(name)}</span>'
        for i, name in enumerate(sheet.personas)
    )
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in sheet.columns)
    rows = "".join(_row(row, sheet.personas) for row in sheet.rows)
    return (
        f"<h3>{escape(sheet.title)}</h3><p>{escape(sheet.explanation)}</p>"
        f'<p class="legend">{legend}</p><div class="scroll"><table class="sheet">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(row: Row, personas: Sequence[str]) -> str:
    tiles = "".join(
        f"<td>{_picture(picture, row.label)}{_opinions(rewards, personas)}</td>"
        for picture, rewards in zip(row.pictures, row.rewards, strict=True)
    )
    head = f"{escape(row.label)}<small>{escape(row.detail)}</small>"
    return f"<tr><th scope='row'>{head}</th>{tiles}</tr>"


def _picture(picture: NDArray[np.uint8], prompt: str) -> str:
    written = io.BytesIO()
    Image.fromarray(picture).save(written, format="PNG", optimize=True)
    data = base64.b64encode(written.getvalue()).decode()
    return f'<img alt="{escape(prompt)}" src="data:image/png;base64,{data}">'


def _opinions(rewards: NDArray[np.floating], personas: Sequence[str]) -> str:
    return (
        '<div class="opinions">'
        + "".join(
            _opinion(float(reward), name, number)
            for number, (reward, name) in enumerate(zip(rewards, personas, strict=True))
        )
        + "</div>"
    )


def _opinion(reward: float, persona: str, number: int) -> str:
    """One bar on the ITU scale: reward 0 is a score of 1, reward 1 a score of 5."""
    if np.isnan(reward):
        return f'<span class="bar missing" title="{escape(persona)} gave no answer">none</span>'
    score = 1 + 4 * reward
    return (
        f'<span class="bar p{number}" style="--share:{reward:.0%}" '
        f'title="{escape(persona)}: {score:.1f} of 5">{score:.1f}</span>'
    )
