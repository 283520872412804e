"""The golden set, and what the shipped judges say of it."""

from __future__ import annotations

import numpy as np
import pytest

from qoe_service.examination.golden import CLEAN, MISMATCHED, SPOILING, golden_set, people
from qoe_service.examination.refresh import said_now, shipped_settings
from qoe_service.examination.stored import GoldenValues, shipped_values
from qoe_service.examination.verdicts import Verdict, drift
from qoe_service.schemas import TRAITS

REFRESH = "if the change is meant, run: python -m qoe_service.examination.refresh"


def test_the_set_is_drawn_the_same_every_time() -> None:
    again = golden_set.__wrapped__()
    assert again is not golden_set()
    assert again.fingerprints() == golden_set().fingerprints()
    assert len(set(again.fingerprints().values())) == len(again.cases)


def test_every_picture_is_there_clean_misfitting_and_damaged() -> None:
    golden = golden_set()
    clean = {golden.cases[row].of: golden.cases[row].case for row in golden.rows(CLEAN)}
    for case in golden.cases:
        same_picture = np.array_equal(case.case.picture.pixels, clean[case.of].picture.pixels)
        assert same_picture == (case.kind in (CLEAN, MISMATCHED)), case.name
        assert (case.case.prompt != clean[case.of].prompt) == (case.kind == MISMATCHED), case.name
    for kind in SPOILING:
        assert len(golden.rows(kind)) >= len(clean) // 3


def test_both_poles_of_every_trait_are_among_the_people() -> None:
    vectors = np.array([persona.traits.vector() for persona in people()])
    assert len({persona.id for persona in people()}) == len(people())
    for trait, column in zip(TRAITS, vectors.T, strict=True):
        assert column.min() <= -0.5, trait
        assert column.max() >= 0.5, trait


@pytest.mark.parametrize("tier", ["clip", "pixel"])
def test_the_shipped_judges_say_what_is_shipped(tier: str) -> None:
    finding = drift(said_now(shipped_settings(), tier), golden_set(), [shipped_values()])
    assert finding.verdict is Verdict.PASSED, f"{tier}: {finding.said}; {REFRESH}"
    assert finding.figures["compared"] == sum(
        len(said.scores) for said in _shipped(tier).cases.values() if said.scores
    ), f"{tier}: {finding.said}; {REFRESH}"


def _shipped(tier: str) -> GoldenValues:
    return next(values for values in shipped_values().judges if values.judge.tier == tier)
