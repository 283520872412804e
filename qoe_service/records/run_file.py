"""The file of one run: a header, then a line for every request that was answered.

A request's line is written at once, behind a lock of the operating system, so that threads and
processes may share a file. A writer that is killed leaves half a line at most, at the end: it is no
part of the record, and the next writer takes it away.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Literal, Self

from pydantic import ValidationError

from qoe_service.errors import UnusableRecord
from qoe_service.records.answered import Answered
from qoe_service.schemas import Wire

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the format; a record of another one is refused."""

SUFFIX = ".jsonl"

_READABLE_CHARACTERS = 60


class Header(Wire):
    """The first line."""

    format: Literal["persona-qoe record"] = "persona-qoe record"
    version: int
    written_by: str
    run: str

    @classmethod
    def parse(cls, line: bytes, path: Path) -> Self:
        """Raises `UnusableRecord` if this is no header, or that of another version."""
        try:
            header = cls.model_validate_json(line)
        except ValidationError:
            raise UnusableRecord(
                f"{path}:1 is not how a record of judgments begins; take the file away"
            ) from None
        if header.version != VERSION:
            raise UnusableRecord(
                f"{path} is of version {header.version} and was written by "
                f"{header.written_by!r}; this is {_writer()!r}, which has version {VERSION}: use "
                "the other one, or record the run again, into another folder"
            )
        return header


@dataclass(frozen=True)
class Contents:
    """What a run's file holds. `torn_bytes` of half a line at its end are left out."""

    answered: tuple[Answered, ...]
    torn_bytes: int


def path_of(folder: Path, run: str) -> Path:
    """Where the record of a run is. No two runs have the same, whatever they are called."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", run)[:_READABLE_CHARACTERS].strip("-")
    digest = hashlib.sha256(run.encode()).hexdigest()[:16]
    return folder / f"{readable}-{digest}{SUFFIX}".lstrip("-")


def append(path: Path, run: str, answered: Answered) -> None:
    """Write a request down.

    Raises:
        UnusableRecord: if the file cannot be written, or is no record of this version.
    """
    line = answered.model_dump_json().encode() + b"\n"
    try:
        with _locked(path) as file:
            end = _without_torn_line(file, path)
            if end == 0:
                line = _header(run) + line
            else:
                Header.parse(_first_line(path), path)
            _write(file, line, end)
    except OSError as error:
        raise UnusableRecord(f"{path} could not be written: {error}") from error


def read(path: Path) -> Contents:
    """All that is in a file.

    Raises:
        UnusableRecord: naming the file and the line that is wrong.
    """
    *lines, torn = _bytes_of(path).split(b"\n")
    if torn:
        logger.warning("%s", _torn(path, len(lines) + 1, len(torn)))
    if lines:
        Header.parse(lines[0], path)
    answered = (_answered(line, path, number) for number, line in enumerate(lines[1:], start=2))
    return Contents(tuple(answered), len(torn))


def runs_in(folder: Path) -> dict[str, Path]:
    """The runs that a folder has records of.

    Raises:
        UnusableRecord: if one of its files is no record of this version.
    """
    runs: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        line = _first_line(path)
        if line.endswith(b"\n"):  # else its first writer was killed before it had written it
            run = Header.parse(line, path).run
            if run in runs:
                raise UnusableRecord(f"{runs[run]} and {path} are both of run {run!r}; keep one")
            runs[run] = path
    return runs


def _writer() -> str:
    return f"persona-qoe {version('persona-qoe')}"


def _header(run: str) -> bytes:
    header = Header(version=VERSION, written_by=_writer(), run=run)
    return header.model_dump_json().encode() + b"\n"


def _answered(line: bytes, path: Path, number: int) -> Answered:
    try:
        return Answered.model_validate_json(line)
    except ValidationError as error:
        flaw = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, flaw["loc"]))
        raise UnusableRecord(
            f"{path}:{number} is damaged ({where or 'line'}: {flaw['msg']}); take the file from a "
            "backup, or record the run again"
        ) from None


def _bytes_of(path: Path) -> bytes:
    with _readable(path) as file:
        return file.read()


def _first_line(path: Path) -> bytes:
    with _readable(path) as file:
        return file.readline()


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UnusableRecord(f"{path} could not be read: {error}") from error


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for appending and nobody else's until the block ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _without_torn_line(file: int, path: Path) -> int:
    """Where the last whole line ends; whoever wrote what stands behind it is dead."""
    size = os.fstat(file).st_size
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return size
    whole = os.pread(file, size, 0)
    end = whole.rfind(b"\n") + 1
    logger.warning("%s; it is taken away", _torn(path, whole.count(b"\n") + 1, size - end))
    os.ftruncate(file, end)
    return end


def _torn(path: Path, number: int, size: int) -> str:
    return f"{path}:{number} is torn after {size} bytes: who wrote it was killed before it answered"


def _write(file: int, line: bytes, end: int) -> None:
    try:
        while line:
            line = line[os.write(file, line) :]
    except OSError:
        os.ftruncate(file, end)
        raise
