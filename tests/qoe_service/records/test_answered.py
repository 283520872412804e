"""Verdicts survive being written down."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from qoe_service.judges import Failure, Opinions
from qoe_service.judges.ladder import Verdicts
from qoe_service.records.answered import Answered, asked_of, verdicts_of
from qoe_service.schemas import Status
from tests.qoe_service.records.answering import PANEL, Moody, case

NUMBERS = st.floats(allow_infinity=False, allow_nan=False) | st.just(float("nan"))
TABLES = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(len(PANEL))), elements=NUMBERS)
REASONS = st.none() | st.text(max_size=40)
FAILURES = st.none() | st.builds(
    Failure, st.sampled_from([status for status in Status if status is not Status.OK]), st.text()
)


def made(scores: np.ndarray, errors: np.ndarray | None = None, **changes: object) -> Verdicts:
    count = len(scores)
    said = {"failures": {}, "cached": np.zeros(count, dtype=bool), **changes}
    reasons = said.pop("reasons", (None,) * count)
    return Verdicts(
        Opinions(scores, scores if errors is None else errors, **said), (Moody(),) * count, reasons
    )


def written(verdicts: Verdicts) -> Answered:
    cases = [case(row) for row in range(len(verdicts.judges))]
    line = Answered.of(cases, PANEL, None, verdicts).model_dump_json()
    assert "\n" not in line
    return Answered.model_validate_json(line)


def read_back(verdicts: Verdicts) -> Verdicts:
    return verdicts_of(tuple(written(verdicts).recalled()), len(PANEL))


def bits(table: np.ndarray) -> list[int | None]:
    """The bit patterns of numbers; NaN has several, which mean the same."""
    patterns = np.ascontiguousarray(table).view(np.uint64)
    return np.where(np.isnan(table), None, patterns.astype(object)).ravel().tolist()


@given(scores=TABLES, data=st.data())
def test_any_table_survives_bit_for_bit(scores: np.ndarray, data: st.DataObject) -> None:
    errors = data.draw(arrays(np.float64, scores.shape, elements=NUMBERS))
    opinions = read_back(made(scores, errors)).opinions
    assert opinions.scores.dtype == np.float64
    assert opinions.scores.shape == scores.shape
    assert bits(opinions.scores) == bits(scores)
    assert bits(opinions.errors) == bits(errors)


@given(failures=st.lists(FAILURES, min_size=3, max_size=3), data=st.data())
def test_failures_and_reasons_survive(failures: list[Failure | None], data: st.DataObject) -> None:
    reasons = tuple(data.draw(REASONS) for _ in failures)
    cached = np.array([data.draw(st.booleans()) for _ in failures])
    by_row = {row: failure for row, failure in enumerate(failures) if failure is not None}
    verdicts = made(np.ones((3, 3)), failures=by_row, cached=cached, reasons=reasons)
    back = read_back(verdicts)
    assert back.opinions.failures == by_row
    assert back.reasons == reasons
    assert back.opinions.cached.tolist() == cached.tolist()


def test_nothing_is_told_that_is_not_recorded() -> None:
    """A new field needs a place in the record, and the record a new version."""
    assert {field.name for field in fields(Verdicts)} == {"opinions", "judges", "reasons"}
    recorded = {"scores", "errors", "failures", "cached"}
    assert {field.name for field in fields(Opinions)} == recorded | {"forwards", "tokens"}


def test_half_a_character_in_a_reason_does_not_stop_the_record() -> None:
    broken = made(np.ones((1, 3)), reasons=("said \ud800",))
    assert read_back(broken).reasons == ("said \\ud800",)


def test_the_judge_is_the_one_that_judged() -> None:
    (judge,) = read_back(made(np.ones((1, 3)))).judges
    for name in ("tier", "name", "revision", "extraction", "calibration", "prompt", "interview"):
        assert getattr(judge, name) == getattr(Moody, name)


def test_an_infinite_score_is_a_bug_and_not_a_null() -> None:
    with pytest.raises(ValidationError):
        written(made(np.full((1, 3), np.inf)))


@pytest.mark.parametrize(
    ("text", "other"),
    [('"scores":[1.0,', '"scores":['), ('"tier":"vlm","cached"', '"tier":"clip","cached"')],
)
def test_a_line_that_does_not_fit_itself_is_refused(text: str, other: str) -> None:
    line = written(made(np.ones((1, 3)))).model_dump_json()
    assert text in line
    with pytest.raises(ValidationError):
        Answered.model_validate_json(line.replace(text, other))


def test_what_is_asked_depends_on_everything_a_caller_says() -> None:
    again = asked_of([case(0, run="another")], PANEL, None)
    assert list(written(made(np.ones((1, 3)))).asked()) == again
    different = [
        *asked_of([case(1), case(2), case(1, "a cat"), case(1, delay_s=1e-9)], PANEL, None),
        *asked_of([case(1)], PANEL, "vlm"),
        *asked_of([case(1)], PANEL[::-1], None),
        *asked_of([case(1)], PANEL[:2], None),
    ]
    assert len(set(different)) == len(different)
