"""What a report says of ratings whose truth is known, and what it leaves unsaid."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings
from qoe_service.reports.messages import MosReport
from qoe_service.reports.report import make_report
from tests.qoe_service.reports.studies import people, study, with_scores

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole() -> MosReport:
    given = study(gaps=0.05)
    human = people(given)
    return make_report(
        replace(given, human={"1": human, "2": people(given, seed=6)}, anchors=human),
        created=NOON,
    )


def test_everything_that_can_be_said_is_said(whole):
    assert whole.limits == ()
    told = whole.model_dump()
    empty = [name for name, value in told.items() if value in (None, (), [])]
    assert empty == ["limits"]
    assert whole.method.created == NOON
    assert (whole.method.items, whole.method.rater_count) == (24, 12)
    assert whole.method.ratings + whole.method.missing == 24 * 12
    assert whole.method.raters.startswith("12 simulated raters")


def test_the_json_reads_back_as_the_same_report_and_holds_no_nan(whole):
    text = whole.model_dump_json()
    assert MosReport.model_validate_json(text) == whole
    json.loads(text, parse_constant=pytest.fail)


def test_the_same_ratings_give_the_same_report(whole):
    given = study(gaps=0.05)
    human = people(given)
    again = replace(given, human={"1": human, "2": people(given, seed=6)}, anchors=human)
    assert make_report(again, created=NOON) == whole


def test_items_have_their_mean_and_both_intervals_for_few_raters():
    given = study()
    first = make_report(given).items[0]
    scores = given.ratings.scores[0]
    assert first.mos is not None
    assert first.bounded is not None
    assert first.mos.mean == pytest.approx(scores.mean())
    assert first.bounded.point == pytest.approx(scores.mean())
    assert first.bounded.high - first.bounded.low > first.mos.high - first.mos.low
    assert make_report(study(raters=20)).items[0].bounded is None


def test_a_taste_that_was_put_in_is_found_and_others_are_not(whole):
    found = {factor.trait: factor for factor in whole.tastes}
    assert {factor.feature for factor in whole.tastes} == {"saturation"}, "constants have no taste"
    assert found["neuroticism"].r.high < 0
    assert found["neuroticism"].r.point < -0.9
    assert found["neuroticism"].expected == pytest.approx(-0.14)
    assert found["neuroticism"].replicated


def test_the_unit_of_a_feature_does_not_matter(whole):
    given = study(gaps=0.05)
    tiny = {
        item: {"saturation": 1e-12 * each["saturation"], "constant": 1e12}
        for item, each in given.features.items()
    }
    found = make_report(replace(given, features=tiny))
    points = [factor.r.point for factor in whole.tastes]
    assert [factor.r.point for factor in found.tastes] == pytest.approx(points)
    told = [rater.inconsistency.point for rater in found.raters if rater.inconsistency]
    assert told == pytest.approx([r.inconsistency.point for r in whole.raters if r.inconsistency])


def test_a_rater_with_strong_tastes_is_not_called_unreliable():
    """The tastes are taken out before the subject model, if traits are known."""
    given = study(raters=16, seed=3)
    neurotic = np.array([abs(t.neuroticism) for t in given.traits.values()])
    known = make_report(given)
    unknown = make_report(replace(given, traits={}))
    with_traits, without = (
        np.array([rater.inconsistency.point for rater in report.raters if rater.inconsistency])
        for report in (known, unknown)
    )
    assert np.corrcoef(neurotic, without)[0, 1] > 0.6
    assert with_traits.mean() == pytest.approx(0.15, abs=0.03)
    assert without.mean() > 1.5 * with_traits.mean()
    assert any("take tastes for inconsistency" in limit for limit in unknown.limits)


def test_quality_and_bias_are_those_put_in():
    given = study(items=60, raters=20, seed=2)
    report = make_report(given)
    means = given.ratings.scores.mean(axis=1)
    quality = np.array([item.quality.point for item in report.items if item.quality])
    assert np.sqrt(np.mean((quality - means) ** 2)) < 0.05
    bias = np.array([rater.bias.point for rater in report.raters if rater.bias])
    assert np.corrcoef(bias, given.ratings.scores.mean(axis=0))[0, 1] > 0.95


def test_people_beside_the_panel(whole):
    assert whole.people is not None
    assert whole.people.srcc is not None
    assert whole.people.srcc.point > 0.9
    assert len(whole.people.items) == 24
    assert whole.people.retest is not None
    assert whole.people.retest.people == 20
    assert whole.anchoring is not None
    assert whole.anchoring.error_after < 0.3
    assert all(item.anchored is not None for item in whole.items)


def test_people_of_other_items_are_no_comparison():
    given = study()
    other = people(given)
    strangers = Ratings(tuple(f"x{i}" for i in range(24)), other.raters, other.scores)
    report = make_report(replace(given, human={"": strangers}, anchors=strangers))
    assert (report.people, report.anchoring) == (None, None)
    assert any(limit.startswith("no comparison with people: 0 items") for limit in report.limits)
    assert any(limit.startswith("no anchoring") for limit in report.limits)


def test_one_rater():
    report = make_report(with_scores(study(), study().ratings.scores[:, :1]))
    assert [item.mos.n for item in report.items if item.mos] == [1] * 24
    assert {(item.mos.low, item.mos.high) for item in report.items if item.mos} == {(1.0, 5.0)}
    assert (report.spread, report.effects, report.tastes) == (None, None, ())
    assert report.raters[0].bias is None
    assert any(limit.startswith("one opinion says nothing") for limit in report.limits)


def test_one_item():
    report = make_report(with_scores(study(), study().ratings.scores[:1]))
    assert report.items[0].mos is not None
    assert report.mos is None
    assert (report.spread, report.effects) == (None, None)
    assert any("one item has no mean over items" in limit for limit in report.limits)


def test_one_item_and_one_rater():
    report = make_report(with_scores(study(), np.array([[4.0]])))
    assert report.items[0].mos is not None
    assert report.items[0].sd is None


def test_ratings_that_are_all_the_same():
    report = make_report(with_scores(study(), np.full((5, 8), 3.0)))
    assert report.effects is None
    assert any(
        limit.startswith("no effect budget: all ratings are equal") for limit in report.limits
    )
    assert report.mos is not None
    assert report.mos.point == 3


@pytest.mark.parametrize("known", [True, False])
def test_a_constant_rater_is_pointed_out_by_name(known):
    scores = study().ratings.scores.copy()
    scores[:, 4] = 3.0
    given = with_scores(study(), scores)
    report = make_report(given if known else replace(given, traits={}))
    told = {rater.rater: rater.remark for rater in report.raters}
    assert told["rater-4"] == "gave the same score to all 24 items"
    assert told["rater-3"] is None


def test_items_and_raters_without_a_rating_are_named():
    scores = study().ratings.scores.copy()
    scores[2], scores[:, 5] = np.nan, np.nan
    report = make_report(with_scores(study(), scores))
    assert report.items[2].mos is None
    assert "rater-5" not in {rater.rater for rater in report.raters}
    assert "items without any rating: picture-2" in report.limits
    assert "raters without any rating: rater-5" in report.limits
    assert report.effects is not None, "the others can still be compared"


def test_raters_of_too_few_items_are_left_out_of_the_model_by_name():
    scores = study().ratings.scores.copy()
    scores[2:, 7] = np.nan
    report = make_report(with_scores(study(), scores))
    assert any("screening: rater-7" in limit for limit in report.limits)
    assert report.raters[7].bias is None
    assert report.raters[6].bias is not None


def test_raters_who_share_no_item_cannot_be_compared():
    scores = np.full((8, 6), np.nan)
    rng = np.random.default_rng(0)
    scores[:4, :3], scores[4:, 3:] = rng.uniform(1, 5, (4, 3)), rng.uniform(1, 5, (4, 3))
    report = make_report(with_scores(study(), scores))
    assert report.effects is None
    assert any("rated no item in common" in limit for limit in report.limits)


def test_nothing_rated_is_an_error():
    with pytest.raises(UnusableRatings, match="not one rating"):
        make_report(with_scores(study(), np.full((3, 3), np.nan)))


def test_repeated_ratings_tell_inconsistency_from_taste():
    given = study(items=30, raters=12)
    rng = np.random.default_rng(9)
    table = given.ratings
    again = Ratings(
        table.items,
        table.raters,
        (table.scores + rng.normal(0, 0.2, table.scores.shape)).clip(1, 5),
    )
    report = make_report(replace(given, sessions={"1": table, "2": again}))
    assert report.effects is not None
    assert report.effects.residual is not None
    assert report.effects.residual.point > 0
    assert report.method.sessions == 2
    assert report.method.ratings == 2 * table.count


def test_who_judged_is_told_and_warned_of():
    given = study()
    source = given.sources[0]
    mixed = make_report(
        replace(given, sources=(source, source.model_copy(update={"tier": "pixel"})))
    )
    assert any("several judges (clip, pixel)" in limit for limit in mixed.limits)
    failed = make_report(
        replace(given, sources=(source.model_copy(update={"interview": "fails"}),))
    )
    assert any("did not play them" in limit for limit in failed.limits)
    unknown = make_report(replace(given, sources=()))
    assert any("which judge gave the ratings is not known" in limit for limit in unknown.limits)
