"""What a report cannot say, and why, collected while it is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings

Figure = TypeVar("Figure")

TOLD = 5
"""How many names are told before the rest is counted."""


class Limits:
    """The limits of one report, in the order in which they were met."""

    def __init__(self) -> None:
        self._told: list[str] = []

    @property
    def told(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self._told))

    def add(self, limit: str) -> None:
        """Note something that has to be known when the report is read."""
        self._told.append(limit)

    def attempt(self, what: str, table: Ratings, compute: Callable[[], Figure]) -> Figure | None:
        """What is computed, or `None` and a note saying why these ratings cannot tell it."""
        try:
            return compute()
        except UnusableRatings as error:
            self.add(f"no {what}: {_with_names(str(error), table)}")
            return None


def names(of: Sequence[str]) -> str:
    """Some names, as one says them."""
    shown = ", ".join(of[:TOLD])
    return shown if len(of) <= TOLD else f"{shown} and {len(of) - TOLD} more"


def _with_names(reason: str, table: Ratings) -> str:
    """Rows and columns by their names."""

    def name(found: re.Match[str]) -> str:
        known = table.raters if found[1] == "rater" else table.items
        place = int(found[2]) - 1
        return f"{found[1]} {known[place]!r}" if place < len(known) else found[0]

    return re.sub(r"(rater|item) number (\d+)", name, reason)
