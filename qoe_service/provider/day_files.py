"""A ledger's folder: a file a day, a line an entry, shared by any number of processes.

A line is written by one system call in append mode, so that a process that is killed loses at most
the line it was writing, and processes that share a file do not write into each other's lines. Files
that nobody writes to any more are summed up: they shrink to a line for each run and model, so that
the folder grows by days and runs, and not by calls.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from qoe_service.provider.spending import Entry, entry_of, summed

logger = logging.getLogger(__name__)


def day_of(at_s: float) -> date:
    """The day (UTC) of a moment in seconds since 1970."""
    return datetime.fromtimestamp(at_s, UTC).date()


def file_of(folder: Path, day: date) -> Path:
    """Where the entries of a day are."""
    return folder / f"{day.isoformat()}.jsonl"


def first_open_day(today: date) -> date:
    """Files of earlier days are settled: nobody writes to them, whatever his clock says."""
    return today - timedelta(days=1)


def read_entries(folder: Path) -> Iterator[Entry]:
    """All entries of a folder, if there is one, oldest file first."""
    for path in sorted(folder.glob("*.jsonl")):
        yield from _entries(path.read_bytes(), path)


class Writer:
    """Appends entries to the file of the day, which it opens when it must."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day: date | None = None
        self._file: int | None = None

    def write(self, entry: Entry) -> None:
        """Raises `OSError` if the entry could not be written whole."""
        file, line = self._opened(day_of(entry.at_s)), entry.line()
        if os.write(file, line) < len(line):
            self.close()  # opened anew, the torn line is ended first
            raise OSError("the disk took only a part of the entry")

    def close(self) -> None:
        """Close the file; another entry opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self, day: date) -> int:
        if self._file is None or day != self._day:
            self.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._file, self._day = os.open(file_of(self._folder, day), flags, 0o644), day
            if _is_torn(self._file):
                os.write(self._file, b"\n")
        return self._file


class Reader:
    """Reads what was added to a folder since it last did."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._since: date | None = None
        self._read: dict[Path, tuple[int, int]] = {}  # which file it was, and up to where

    def news(self, today: date) -> list[Entry]:
        """The entries that are new; all there are, the first time."""
        if self._since is None:
            paths = sorted(self._folder.glob("*.jsonl"))
        else:
            days = range((today - self._since).days + 1)
            paths = [file_of(self._folder, self._since + timedelta(days=day)) for day in days]
        found = [entry for path in paths for entry in self._news_of(path)]
        self._since = first_open_day(today)
        return found

    def _news_of(self, path: Path) -> list[Entry]:
        try:
            status = path.stat()
        except FileNotFoundError:
            return []
        number, offset = self._read.get(path, (status.st_ino, 0))
        if number != status.st_ino or status.st_size <= offset:
            return []  # if it was summed up, there was nothing new for who was awake
        with path.open("rb") as file:
            file.seek(offset)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._read[path] = status.st_ino, offset + len(whole)
        return list(_entries(whole, path))


def sum_up(folder: Path, today: date) -> None:
    """Sum up every file that is settled and worth it."""
    first_open = file_of(folder, first_open_day(today))
    for path in sorted(folder.glob("*.jsonl")):
        if path.name < first_open.name:
            _sum_up_file(path)


def _sum_up_file(path: Path) -> None:
    before = path.read_bytes()
    after = b"".join(entry.line() for entry in summed(_entries(before, path)))
    if len(after) >= len(before):
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(after)
        file.flush()
        os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
        os.fsync(file.fileno())
    os.replace(file.name, path)


def _entries(lines: bytes, path: Path) -> Iterator[Entry]:
    for line in lines.splitlines():
        if not line.strip():
            continue
        try:
            yield entry_of(line)
        except ValueError as error:
            logger.warning("%s: %r is no entry and is skipped: %s", path, line[:80], error)


def _is_torn(file: int) -> bool:
    size = os.lseek(file, 0, os.SEEK_END)
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
