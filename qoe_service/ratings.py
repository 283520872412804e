"""Ratings of items by raters: people's from a CSV file, or a panel's."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import QoEError, UnusableRatings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE

COLUMNS = ("item", "rater", "score")
SESSION = "session"
HEADER = "the first line must be 'item,rater,score' or 'item,rater,score,session', with commas"
FIELDS = "another number of fields than the first line has; quote commas"
MOST_PLACES = 20_000_000
"""Of the table of a file, gaps included: as many as a report has memory for."""
TOLD = 20
"""How many wrong lines of a file are told; the rest is counted."""


class RatingsFileError(QoEError):
    """A file of ratings is wrong: its bad rows, by line and column."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Who rated what how: scores (items, raters) from 1 to 5, NaN where somebody did not.

    The scores are copied and cannot be written to.

    Raises:
        UnusableRatings: if the shape does not fit the names, a name is given twice, or a score
            lies off the scale.
    """

    items: tuple[str, ...]
    raters: tuple[str, ...]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        scores = np.array(self.scores, dtype=np.float64)
        scores.setflags(write=False)
        for field, value in (
            ("items", tuple(self.items)),
            ("raters", tuple(self.raters)),
            ("scores", scores),
        ):
            object.__setattr__(self, field, value)
        _check_names("item", self.items)
        _check_names("rater", self.raters)
        if scores.shape != (len(self.items), len(self.raters)):
            raise UnusableRatings(
                f"scores are {scores.shape}; {len(self.items)} items by {len(self.raters)} raters "
                "need one row an item and one column a rater"
            )
        self._check_scale()

    @property
    def count(self) -> int:
        """How many ratings there are."""
        return int(np.isfinite(self.scores).sum())

    def of_item(self, index: int) -> NDArray[np.float64]:
        """The ratings that an item got."""
        row = self.scores[index]
        given: NDArray[np.float64] = row[np.isfinite(row)]
        return given

    def means(self) -> dict[str, float]:
        """The mean rating of each item that anybody rated."""
        rated = self.rated()
        return dict(zip(rated.items, np.nanmean(rated.scores, axis=1).tolist(), strict=True))

    def at(self, items: Sequence[int], raters: Sequence[int]) -> Ratings:
        """A part of the table, by index."""
        return Ratings(
            tuple(self.items[index] for index in items),
            tuple(self.raters[index] for index in raters),
            self.scores[np.ix_(items, raters)],
        )

    def rated(self) -> Ratings:
        """The same without items that nobody rated and raters who rated nothing."""
        there = np.isfinite(self.scores)
        items, raters = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
        return self.at(items.tolist(), raters.tolist())

    def _check_scale(self) -> None:
        off = ~np.isnan(self.scores) & ~(
            (self.scores >= LOWEST_SCORE) & (self.scores <= HIGHEST_SCORE)
        )
        if off.any():
            row, column = np.argwhere(off)[0]
            raise UnusableRatings(
                f"{self.raters[column]} rated {self.items[row]} {self.scores[row, column]:g}; "
                "scores go from 1 to 5, NaN where there is none"
            )


def read_ratings(path: Path) -> Ratings:
    """The ratings of a CSV file with columns item, rater, score and, if there are any, session.

    An empty score is a missing rating. Who rated an item in several sessions counts once, with the
    mean of them.

    Raises:
        RatingsFileError: naming what is wrong by line and column, and what to do.
        OSError: if the file cannot be read.
    """
    sessions = read_sessions(path)
    first, *_ = sessions.values()
    stack = np.stack([session.scores for session in sessions.values()])
    counts = np.isfinite(stack).sum(axis=0)
    sums = np.nansum(stack, axis=0)
    scores = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return Ratings(first.items, first.raters, scores)


def read_sessions(path: Path) -> Mapping[str, Ratings]:
    """The ratings of each session of such a file, in its order, over the same items and raters.

    A file without the column has one session, named "".

    Raises:
        RatingsFileError, OSError: as `read_ratings`.
    """
    cells: dict[tuple[str, str, str], tuple[int, float]] = {}
    wrong = []
    for line, row in csv_rows(path, _flaw_of_header):
        try:
            key, score = _cell(row)
        except ValueError as error:
            wrong.append(f"{path}:{line}: {error}")
            continue
        if key in cells:
            wrong.append(f"{path}:{line}: {_twice(key)} already in line {cells[key][0]}; keep one")
        else:
            cells[key] = (line, score)
    if wrong:
        more = [f"and {len(wrong) - TOLD} more lines"] if len(wrong) > TOLD else []
        raise RatingsFileError("\n".join([*wrong[:TOLD], *more]))
    if not any(np.isfinite(score) for _, score in cells.values()):
        raise RatingsFileError(f"{path}: no ratings; give an item, a rater and a score in a line")
    return _tables(path, {key: score for key, (_, score) in cells.items()})


def _tables(path: Path, cells: Mapping[tuple[str, str, str], float]) -> Mapping[str, Ratings]:
    sessions, items, raters = (
        {name: place for place, name in enumerate(dict.fromkeys(names))}
        for names in zip(*cells, strict=True)
    )
    size = len(sessions) * len(items) * len(raters)
    if size > MOST_PLACES:
        raise RatingsFileError(
            f"{path}: {len(items)} items by {len(raters)} raters in {len(sessions)} sessions are "
            f"{size:,} places, mostly empty; one file may have {MOST_PLACES:,}, make several"
        )
    scores = np.full((len(sessions), len(items), len(raters)), np.nan)
    for (session, item, rater), score in cells.items():
        scores[sessions[session], items[item], raters[rater]] = score
    return {
        session: Ratings(tuple(items), tuple(raters), scores[place])
        for session, place in sessions.items()
    }


def csv_rows(
    path: Path, flaw_of_header: Callable[[Sequence[str]], str | None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row of a CSV file with the line on which it ends.

    Raises:
        RatingsFileError: if it is no CSV, or says what is wrong with the names of its columns.
        OSError: if the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text), strict=True)
        flaw = flaw_of_header(list(reader.fieldnames or ()))
        if flaw is not None:
            raise RatingsFileError(f"{path}:1: {flaw}")
        for row in reader:
            yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise RatingsFileError(f"{path}: not UTF-8 ({error}); save it as UTF-8") from None
    except csv.Error as error:
        raise RatingsFileError(f"{path}:{reader.reader.line_num}: not CSV ({error})") from None


def _flaw_of_header(names: Sequence[str]) -> str | None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        return f"no column {', no column '.join(missing)}; {HEADER}"
    twice = [name for name in (*COLUMNS, SESSION) if names.count(name) > 1]
    return f"column {twice[0]} is there twice; keep one" if twice else None


def _cell(row: Mapping[str, str]) -> tuple[tuple[str, str, str], float]:
    """(session, item, rater) and the score, NaN if the field is empty."""
    if None in row or None in row.values():
        raise ValueError(FIELDS)
    item, rater = row["item"].strip(), row["rater"].strip()
    for column, name in (("item", item), ("rater", rater)):
        if not name:
            raise ValueError(f"column {column}: is empty; name the {column}")
    return (row.get(SESSION, "").strip(), item, rater), _score(row["score"].strip())


def _score(text: str) -> float:
    if not text:
        return float("nan")
    try:
        score = float(text)
    except ValueError:
        score = float("nan")
    if LOWEST_SCORE <= score <= HIGHEST_SCORE:
        return score
    raise ValueError(
        f"column score: {text!r} is not a number from 1 to 5; leave it empty where there is none"
    )


def _twice(key: tuple[str, str, str]) -> str:
    session, item, rater = key
    return f"{rater} rates {item}{f' in session {session}' if session else ''}"


def _check_names(what: str, names: Sequence[str]) -> None:
    if not names:
        raise UnusableRatings(f"there is no {what}: nothing was rated")
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UnusableRatings(f"{what}s share a name: {', '.join(twice)}; give each its own")
