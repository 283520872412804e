"""All tiers on the same items: what either could not judge is left out, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure, Judge, Opinions, UnavailableJudge
from qoe_service.judges.tier_comparison import CalibrationItem, Comparison, compare_tiers
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import Status

PANEL = Registry().all()[:2]
COUNT = 100


@dataclass
class Seeing:
    """Scores a picture by its first pixel, 0 to 99, stretched; fails on the prompts it is told."""

    tier: str
    stretch: float
    refuses: frozenset[str] = frozenset()
    name: str = "seeing"
    revision: str = "1"
    extraction: str = "logprobs"
    calibration: str | None = None
    prompt: str | None = None
    interview: str | None = None

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        seen = np.array([case.picture.pixels[0, 0, 0] for case in cases], dtype=float)
        scores = 1 + self.stretch * np.tile(seen[:, None] / COUNT, (1, len(panel)))
        failed = {
            row: Failure(Status.REFUSED, f"{self.tier} refuses")
            for row, case in enumerate(cases)
            if case.prompt in self.refuses
        }
        scores[list(failed)] = np.nan
        return Opinions(scores, scores * 0, failed, np.zeros(len(cases), dtype=bool))

    def check(self) -> None: ...

    def close(self) -> None: ...


def items(count: int = COUNT, pictures: int = COUNT) -> list[CalibrationItem]:
    return [
        CalibrationItem.of(
            Picture(np.full((16, 16, 3), number % pictures, dtype=np.uint8)), f"wish {number}"
        )
        for number in range(count)
    ]


def compared(judges: Sequence[Judge], of: list[CalibrationItem]) -> tuple[Comparison, ...]:
    told: list[int] = []
    found = compare_tiers(
        judges, of, PANEL, named="numbers", run_id="a-run", samples=4, judged=told.append
    )
    assert sum(told) == len(of) * len(judges)
    return found


def test_each_lower_tier_is_fitted_to_the_first() -> None:
    middle, low = compared([Seeing("high", 4), Seeing("middle", 2), Seeing("low", 1)], items())
    assert [c.lower.tier for c in (middle, low)] == ["middle", "low"]
    for each, stretch in ((middle, 2), (low, 1)):
        assert each.primary.tier == each.tier_map.primary == "high"
        assert (each.tier_map.pairs, each.tier_map.pictures) == (200, 100)
        assert each.tier_map.rank_correlation == pytest.approx(1)
        assert each.tier_map.scores([1 + stretch / 2])[0] == pytest.approx(3, abs=0.02)
        assert each.stored.items == "numbers"


def test_what_either_could_not_judge_is_left_out_and_counted() -> None:
    high = Seeing("high", 4, refuses=frozenset({"wish 1", "wish 2", "wish 33"}))
    low = Seeing("low", 1, refuses=frozenset({"wish 2", "wish 50"}))
    (found,) = compared([high, low], items())
    assert (found.left_out, found.why) == (4, "high refuses")
    assert (found.tier_map.pairs, found.tier_map.pictures) == (192, 96)
    assert np.isfinite(found.tier_map.values).all()


def test_one_picture_with_many_wishes_is_one_picture() -> None:
    (found,) = compared([Seeing("high", 4), Seeing("low", 1)], items(pictures=20))
    assert found.tier_map is None
    assert "200 opinions of 20 pictures in common" in found.refused
    assert found.stored is None


def test_a_tier_that_is_not_there_has_no_map_and_says_why() -> None:
    gone = UnavailableJudge("low", "low", "no weights")
    broken, fine = compared([Seeing("high", 4), gone, Seeing("lower", 1)], items())
    assert (broken.left_out, broken.why) == (COUNT, "no weights")
    assert "0 opinions of 0 pictures" in broken.refused
    assert fine.tier_map is not None


def test_a_judge_that_has_no_probabilities_is_known_by_its_samples() -> None:
    judges = [Seeing("vlm", 4, extraction="structured"), Seeing("llm", 1)]
    (found,) = compared(judges, items())
    assert (found.primary.samples, found.lower.samples) == (4, None)
