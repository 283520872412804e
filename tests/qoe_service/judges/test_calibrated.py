"""A lower rung on the first one's scale: mapped as it is, untouched where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure, Opinions
from qoe_service.judges.calibrated import CalibratedJudge, on_one_scale
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.tier_map import TierMap
from qoe_service.judges.tier_map_file import StoredMap, TierMaps, identity_of
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import Status

PANEL = Registry().all()[:3]
CASE = Case(Picture(np.zeros((16, 16, 3), dtype=np.uint8)), "a dog")
AWAY = Failure(Status.JUDGE_UNAVAILABLE, "the model is away")


@dataclass
class Told:
    """A judge that says what it was told to say; rows without a score are failures."""

    scores: np.ndarray
    errors: np.ndarray
    tier: str = "clip"
    name: str = "a-clip"
    revision: str = "1"
    extraction: str = "embedding"
    calibration: str | None = "own"
    prompt: str | None = None
    interview: str | None = None
    closed: bool = False

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        failed = np.flatnonzero(np.isnan(self.scores).any(axis=1)).tolist()
        cached = np.arange(len(cases)) % 2 == 0
        return Opinions(self.scores, self.errors, dict.fromkeys(failed, AWAY), cached, 7, 70)

    def check(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def judge(tier: str, score: float | None = 3.0, **changes: object) -> Told:
    """A judge that gives one case one score, or none."""
    table = np.full((1, len(PANEL)), np.nan if score is None else score)
    return Told(table, table * 0 + 0.2, tier=tier, **changes)


def tier_map(lower: str = "clip", primary: str = "vlm", shift: float = 1.0) -> TierMap:
    return TierMap(
        lower=lower,
        primary=primary,
        knots=(1.0, 2.0, 4.0),
        values=(1.0, 2.0, 2.0 + shift),
        residual_sd=0.3,
        pairs=200,
        pictures=100,
        rank_correlation=0.5,
        level_off=0.4,
        level_se=0.1,
    )


def maps(primary: Told, lower: Told, samples: int = 1) -> TierMaps:
    stored = StoredMap(
        primary=identity_of(primary, samples),
        lower=identity_of(lower, samples),
        items="drawn",
        tier_map=tier_map(lower.tier, primary.tier),
    )
    return TierMaps(maps=(stored,))


def info_scales(ladder: Ladder) -> list[str | None]:
    return [info.own_scale for info in ladder.infos()]


TABLES = arrays(np.float64, (4, 3), elements=st.floats(1, 5))


@given(TABLES, TABLES, st.sets(st.integers(0, 3)))
def test_every_number_is_mapped_and_every_gap_stays(
    scores: np.ndarray, errors: np.ndarray, gaps: set[int]
) -> None:
    scores[list(gaps)] = errors[list(gaps)] = np.nan
    told, mapped_by = Told(scores, errors), tier_map()
    plain = told.opinions([CASE] * 4, PANEL, Deadline())
    found = CalibratedJudge(told, mapped_by).opinions([CASE] * 4, PANEL, Deadline())
    assert np.array_equal(np.isnan(found.scores), np.isnan(scores))
    assert np.array_equal(np.isnan(found.errors), np.isnan(scores))
    good = ~np.isnan(scores)
    assert np.array_equal(found.scores[good], mapped_by.scores(scores[good]))
    assert np.all(found.errors[good] >= mapped_by.residual_sd)
    assert np.all(np.diff(found.scores[good][np.argsort(scores[good])]) >= 0)
    assert set(found.failures) == gaps
    assert np.array_equal(found.cached, plain.cached)
    assert (found.forwards, found.tokens) == (7, 70)
    assert np.array_equal(plain.scores, scores, equal_nan=True)  # the judge's own stay its own


def test_everything_else_is_the_judges_own() -> None:
    told = judge("llm", prompt="judge-description@1.0.0+12")
    calibrated = CalibratedJudge(told, tier_map("llm"))
    for name in ("tier", "name", "revision", "extraction", "prompt"):
        assert getattr(calibrated, name) == getattr(told, name)
    assert calibrated.calibration == tier_map("llm").name != told.calibration
    calibrated.close()
    assert told.closed


def test_a_rung_with_a_map_is_told_on_the_first_ones_scale_fallen_or_forced() -> None:
    vlm, clip = judge("vlm", None), judge("clip", 3.0)
    ladder = on_one_scale([vlm, clip], maps(vlm, clip), 1)
    for tier in (None, "clip"):
        verdicts = ladder.verdicts([CASE], PANEL, tier=tier, deadline=Deadline())
        assert verdicts.opinions.scores.tolist() == [[2.5] * len(PANEL)]
        assert verdicts.opinions.errors[0, 0] == pytest.approx(np.hypot(0.2 / 2, 0.3))
        assert verdicts.judges[0].calibration.startswith("clip-as-vlm+")
        assert verdicts.reasons == (None if tier else AWAY.reason,)
    assert info_scales(ladder) == [None, None]


def test_the_first_judge_is_never_mapped() -> None:
    vlm, clip = judge("vlm", 3.0), judge("clip")
    ladder = on_one_scale([vlm, clip], maps(vlm, clip), 1)
    verdicts = ladder.verdicts([CASE], PANEL, tier=None, deadline=Deadline())
    assert verdicts.judges == (vlm,)
    assert verdicts.opinions.scores[0, 0] == 3.0
    assert verdicts.opinions.errors[0, 0] == 0.2


def test_who_falls_to_a_scale_of_its_own_is_told_and_nobody_else() -> None:
    vlm, clip = judge("vlm", None), judge("clip")
    ladder = on_one_scale([vlm, clip], TierMaps(), 1)
    fallen = ladder.verdicts([CASE], PANEL, tier=None, deadline=Deadline())
    assert fallen.opinions.scores[0, 0] == 3.0
    assert fallen.reasons == (
        "the model is away; on clip's own scale: not calibrated to vlm; `qoe judges calibrate`",
    )
    forced = ladder.verdicts([CASE], PANEL, tier="clip", deadline=Deadline())
    assert forced.reasons == (None,)
    assert info_scales(ladder) == [None, "not calibrated to vlm; `qoe judges calibrate`"]


CHANGES = [
    {"name": "other"},
    {"revision": "2"},
    {"calibration": "refitted"},
    {"prompt": "judge-image@1.1.0+34"},
]


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("changed", ["vlm", "clip"])
def test_a_map_for_other_judges_is_not_used_and_says_what_changed(
    changed: str, changes: dict[str, str]
) -> None:
    ladder = on_one_scale(
        [judge("vlm", **(changes if changed == "vlm" else {})),
         judge("clip", **(changes if changed == "clip" else {}))],
        maps(judge("vlm"), judge("clip")),
        1,
    )  # fmt: skip
    (field, value), *_ = changes.items()
    assert ladder.judge("clip").opinions([CASE], PANEL, Deadline()).scores[0, 0] == 3.0
    why = info_scales(ladder)[1]
    assert why.startswith(f"its calibration is stale: the {field} of {changed} was ")
    assert f"is {value!r}" in why


def test_samples_matter_where_there_are_no_probabilities() -> None:
    clip = judge("clip")
    by_samples = maps(judge("vlm", extraction="structured"), clip, samples=3)
    by_probabilities = maps(judge("vlm", extraction="logprobs"), clip, samples=3)
    unasked = judge("vlm", extraction="unknown")  # as it is when the service starts
    assert info_scales(on_one_scale([unasked, clip], by_samples, 3)) == [None, None]
    assert info_scales(on_one_scale([unasked, clip], by_probabilities, 1)) == [None, None]
    assert "samples of vlm was 3 and is 1" in info_scales(
        on_one_scale([unasked, clip], by_samples, 1)
    )[1]  # fmt: skip
