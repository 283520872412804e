"""Requests for reports: what is accepted, and what is told of the rest."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from qoe_service.errors import BadRatings
from qoe_service.personas import Registry
from qoe_service.reports.asked import study_of
from qoe_service.reports.messages import MAX_RATINGS, Rating, ReportRequest

PEOPLE = Registry().by_id()
SAMPLE = (
    {"item": "a", "rater": "bo", "score": 4},
    {"item": "a", "rater": "amelia", "score": None},
    {"item": "b", "rater": "amelia", "score": 2.5},
)


def asked(*ratings: dict, **more: object) -> ReportRequest:
    return ReportRequest.model_validate({"ratings": list(ratings), **more})


def test_a_table_in_the_order_sent_with_gaps_where_nothing_was_said():
    study = study_of(asked(*SAMPLE), PEOPLE)
    table = study.ratings
    assert (table.items, table.raters) == (("a", "b"), ("bo", "amelia"))
    assert table.count == 2
    assert table.scores[0, 0] == 4


def test_raters_whom_the_service_knows_have_their_traits_unless_others_are_given():
    study = study_of(asked(*SAMPLE), PEOPLE)
    assert study.traits["bo"] == PEOPLE["bo"].traits
    assert study.norms == (PEOPLE["bo"].norm,)
    given = study_of(asked(*SAMPLE, traits={"bo": PEOPLE["amelia"].traits.model_dump()}), PEOPLE)
    assert given.traits["bo"] == PEOPLE["amelia"].traits


def test_a_rating_given_twice_needs_sessions():
    with pytest.raises(BadRatings, match=r"ratings\[3\]: bo has rated a already"):
        study_of(asked(*SAMPLE, SAMPLE[0]), PEOPLE)
    study = study_of(asked(*SAMPLE, {**SAMPLE[0], "score": 2, "session": "2"}), PEOPLE)
    assert list(study.sessions) == ["", "2"]
    assert study.ratings.scores[0, 0] == 3


def test_tables_with_too_many_places_are_refused_before_they_are_made():
    diagonal = tuple(Rating(item=f"i{n}", rater=f"r{n}", score=3) for n in range(500))
    assert len(diagonal) ** 2 > MAX_RATINGS
    with pytest.raises(BadRatings, match="500 items by 500 raters"):
        study_of(ReportRequest(ratings=diagonal), PEOPLE)


@pytest.mark.parametrize("score", [0.99, 5.01, float("nan"), float("inf"), "good"])
def test_scores_off_the_scale_are_refused(score):
    with pytest.raises(ValidationError, match="score"):
        asked({"item": "a", "rater": "b", "score": score})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratings": []},
        {"ratings": [{"item": "", "rater": "b", "score": 3}]},
        {"ratings": [{"item": "a", "rater": "b"}]},
        {"ratings": [{"item": "a", "rater": "b", "score": 3, "grade": 4}]},
        {"ratings": [SAMPLE[0]], "features": {"a": {"x": float("nan")}}},
        {"ratings": [SAMPLE[0]], "features": {"a": {f"x{n}": 1.0 for n in range(101)}}},
    ],
)
def test_messages_that_are_no_request(wrong):
    with pytest.raises(ValidationError):
        ReportRequest.model_validate(wrong)
