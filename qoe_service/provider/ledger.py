"""What was spent, one JSON object a line: appended as it happens, read back after a crash.

A line is written by one system call in append mode, so that a process that is killed loses at most
the line it was writing, and processes that share a file do not write into each other's lines.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import orjson

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One call's cost. `estimated`: the other side never said, so it is what was reserved.

    at_s: seconds since 1970.
    """

    run: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: float
    estimated: bool
    at_s: float

    @property
    def spending(self) -> Spending:
        """As one call's spending."""
        return Spending(1, self.input_tokens, self.output_tokens, self.cost, int(self.estimated))


@dataclass(frozen=True)
class Spending:
    """A sum of entries. Money is in the currency of the tariffs."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    estimated_calls: int = 0

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
        )

    def __sub__(self, other: Spending) -> Spending:
        return Spending(
            self.calls - other.calls,
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
            self.cost - other.cost,
            self.estimated_calls - other.estimated_calls,
        )


class Ledger:
    """Appends entries to a file. Thread-safe. Raises `OSError` if the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if _is_torn(self._file):
            os.write(self._file, b"\n")

    def append(self, entry: Entry) -> None:
        """Write one entry; a full or broken disk is logged and costs only the writing down."""
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        try:
            with self._lock:
                os.write(self._file, line)
        except OSError as error:
            logger.warning("the ledger %s could not be written: %s", self.path, error)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_ledger(path: Path) -> Iterator[Entry]:
    """The entries of a file, if there is one; lines torn by a crash are logged and skipped."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _entry(line)
            except (ValueError, TypeError) as error:
                logger.warning("%s:%d is not an entry and is skipped: %s", path, number, error)


def spending_by_run(path: Path) -> dict[str, dict[str, Spending]]:
    """What each run spent on each model."""
    runs: dict[str, dict[str, Spending]] = {}
    for entry in read_ledger(path):
        models = runs.setdefault(entry.run, {})
        models[entry.model] = models.get(entry.model, Spending()) + entry.spending
    return runs


_NAMES = {field.name for field in fields(Entry)}


def _entry(line: bytes) -> Entry:
    values = orjson.loads(line)
    if not isinstance(values, dict) or values.keys() != _NAMES:
        raise ValueError(f"an entry has exactly {', '.join(sorted(_NAMES))}")
    entry = Entry(**values)
    if not isinstance(entry.run, str) or not isinstance(entry.model, str):
        raise TypeError("run and model are text")
    if entry.input_tokens < 0 or entry.output_tokens < 0 or entry.cost < 0:
        raise ValueError("nothing costs less than nothing")
    return entry


def _is_torn(file: int) -> bool:
    size = os.lseek(file, 0, os.SEEK_END)
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
