"""The card beside every weights file: what it is, how it was made, how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scipy.stats import binomtest


def share_of(share: float, count: int) -> str:
    """A share of so many trials, with its 95 % Wilson interval."""
    interval = binomtest(round(share * count), count).proportion_ci(method="wilson")
    return f"{share:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def write_card(
    file: Path,
    *,
    title: str,
    command: str,
    facts: Mapping[str, str],
    scores_title: str,
    scores: Mapping[str, str],
) -> None:
    """Write a model card in Markdown."""
    lines = [
        f"# {title}",
        "",
        "Trained on pictures that tinyworld draws; it knows tinyworld and nothing else.",
        "",
        f"    {command}",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        f"| {scores_title} | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in scores.items()),
        "",
    ]
    file.write_text("\n".join(lines))
