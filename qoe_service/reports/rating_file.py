"""Files of a panel's ratings: written from its judgments, with who judged in further columns."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

from pydantic import ValidationError

from qoe_service.ratings import COLUMNS, FIELDS, RatingsFileError, csv_rows, read_sessions
from qoe_service.reports.messages import Source
from qoe_service.schemas import Judgment, Result

SOURCE_COLUMNS = ("tier", "judge", "revision", "prompt", "calibration", "interview")


def ratings_csv(results: Iterable[Result]) -> str:
    """The judgments as CSV: a line for each item and persona, an empty score for null."""
    file = io.StringIO()
    writer = csv.DictWriter(file, (*COLUMNS, *SOURCE_COLUMNS), lineterminator="\n")
    writer.writeheader()
    for result in results:
        for judgment in result.judgments:
            writer.writerow(
                {
                    "item": result.id,
                    "rater": judgment.persona,
                    "score": "" if judgment.score is None else repr(judgment.score),
                    **_source_cells(judgment),
                }
            )
    return file.getvalue()


def sources_in(path: Path) -> tuple[Source, ...]:
    """Which judges gave the ratings of a file; none if it does not say.

    Raises:
        RatingsFileError: if what it says is no judge, by line.
        OSError: if the file cannot be read.
    """
    read_sessions(path)  # says what is wrong with anything else
    counts: Counter[Source] = Counter()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            source = _source(row, f"{path}:{reader.line_num}")
            if source is not None:
                counts[source] += 1
    return tuple(
        source.model_copy(update={"ratings": count}) for source, count in counts.most_common()
    )


def _source_cells(judgment: Judgment) -> Mapping[str, str]:
    source = judgment.provenance
    if source is None:
        return {}
    told = {
        "tier": judgment.tier,
        **source.model_dump(include={*SOURCE_COLUMNS}),
    }
    return {name: value for name, value in told.items() if value is not None}


def _source(row: Mapping[str, str], where: str) -> Source | None:
    told = {name: text for name in SOURCE_COLUMNS if (text := (row.get(name) or "").strip())}
    if not told or not row["score"].strip():
        return None
    try:
        return Source.model_validate(told)
    except ValidationError as error:
        flaw = error.errors(include_url=False)[0]
        raise RatingsFileError(f"{where}: column {flaw['loc'][0]}: {flaw['msg']}") from None


def numbers_of_items(path: Path) -> Mapping[str, Mapping[str, float]]:
    """The features of a CSV file: a column item, and a column of numbers for each feature.

    Raises:
        RatingsFileError: naming what is wrong, by line and column.
        OSError: if the file cannot be read.
    """
    found: dict[str, Mapping[str, float]] = {}
    for line, row in csv_rows(path, _flaw_of_header):
        where = f"{path}:{line}"
        if None in row or None in row.values():
            raise RatingsFileError(f"{where}: {FIELDS}")
        item = row["item"].strip()
        if not item or item in found:
            flaw = f"{item} is there already; keep one" if item else "is empty; name the item"
            raise RatingsFileError(f"{where}: column item: {flaw}")
        found[item] = dict(_numbers(row, where))
    return found


def _flaw_of_header(names: Sequence[str]) -> str | None:
    if "item" not in names:
        return "no column item; the first line names the columns, with commas"
    twice = [name for name, count in Counter(names).items() if count > 1]
    return f"column {twice[0]} is there twice; keep one" if twice else None


def _numbers(row: Mapping[str, str], where: str) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        if name == "item":
            continue
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise RatingsFileError(f"{where}: column {name}: {text!r} is not a number")
        yield name, number
