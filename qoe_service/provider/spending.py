"""What calls cost: tokens and money, and how it is written on a line of a ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import orjson


@dataclass(frozen=True)
class Spending:
    """A sum of calls. Money is in the currency of the tariffs.

    estimated_calls: those of which the other side never said what they cost, so that what was
        reserved counts.
    refused: questions that were not asked because the budget was spent.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    estimated_calls: int = 0
    refused: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
            self.estimated_calls + other.estimated_calls,
            self.refused + other.refused,
        )

    def __sub__(self, other: Spending) -> Spending:
        return Spending(
            self.calls - other.calls,
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
            self.cost - other.cost,
            self.estimated_calls - other.estimated_calls,
            self.refused - other.refused,
        )


@dataclass(frozen=True)
class Entry:
    """What a run spent on a model: one call, or all those of a day.

    at_s: when, in seconds since 1970; of several calls, the last.
    """

    run: str
    model: str
    spending: Spending
    at_s: float

    def line(self) -> bytes:
        """As JSON, with the end of the line."""
        values = {"run": self.run, "model": self.model, **asdict(self.spending), "at_s": self.at_s}
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


_SUMS = tuple(field.name for field in fields(Spending))
_NAMES = {"run", "model", "at_s", *_SUMS}


def entry_of(line: bytes) -> Entry:
    """The entry on a line. Raises `ValueError` if there is none."""
    values = orjson.loads(line)
    if not isinstance(values, dict) or values.keys() != _NAMES:
        raise ValueError(f"an entry has exactly {', '.join(sorted(_NAMES))}")
    run, model, at_s, *sums = (values[name] for name in ("run", "model", "at_s", *_SUMS))
    if not isinstance(run, str) or not isinstance(model, str):
        raise ValueError("run and model are text")
    for number in (at_s, *sums):
        if not isinstance(number, int | float) or number < 0:
            raise ValueError(f"{number!r} is no amount")
    return Entry(run, model, Spending(*sums), at_s)


def summed(entries: Iterable[Entry]) -> list[Entry]:
    """An entry for each run and model, in the order of their first appearance."""
    sums: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = entry.run, entry.model
        before = sums.get(key)
        if before is not None:
            spending, at_s = before.spending + entry.spending, max(before.at_s, entry.at_s)
            entry = Entry(entry.run, entry.model, spending, at_s)
        sums[key] = entry
    return list(sums.values())


def by_run(entries: Iterable[Entry]) -> dict[str, Spending]:
    """What each run spent on all models together."""
    runs: dict[str, Spending] = {}
    for entry in entries:
        runs[entry.run] = runs.get(entry.run, Spending()) + entry.spending
    return runs
