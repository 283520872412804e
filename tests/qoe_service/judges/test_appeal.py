"""Appeal follows the evidence: every replicated finding has its direction, chance is fixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.judges.appeal import Panel, identities, normal, offsets
from qoe_service.judges.evidence import effect_matrix, effects, features
from qoe_service.norms import norm
from qoe_service.schemas import TRAITS

# judging.md 6.4, "replicated in three or more samples". Its conditions as features: grayscale and
# low saturation; simplicity is little detail; unconventional composition avoids the thirds.
REPLICATED = [
    ("people", "extraversion", +1),
    ("people", "openness", -1),
    ("abstract_art", "openness", +1),
    ("abstract_art", "extraversion", -1),
    ("saturation", "neuroticism", -1),
    ("grayscale", "neuroticism", +1),
    ("positive_emotion", "conscientiousness", +1),
    ("detail", "openness", -1),
    ("thirds", "openness", -1),
]


def flipped(trait: str) -> Panel:
    """The same person one SD below and one SD above the mean on a trait."""
    traits = np.zeros((2, 5))
    traits[:, TRAITS.index(trait)] = (-1, +1)
    return Panel(traits, np.zeros(2), np.array([7, 7], dtype=np.uint64))


@pytest.mark.parametrize(("feature", "trait", "sign"), REPLICATED)
def test_flipping_a_trait_moves_appeal_as_replicated(feature: str, trait: str, sign: int) -> None:
    """Two pictures two SDs apart on the feature: the flip favours the one it should."""
    pictures = np.zeros((2, len(features())))
    pictures[:, features().index(feature)] = (-1, +1)
    liking = offsets(pictures, flipped(trait), np.array([3, 3], dtype=np.uint64), gain=0.5)
    change = liking[:, 1] - liking[:, 0]
    assert sign * (change[1] - change[0]) > 0


def test_the_data_marks_exactly_these_findings_as_replicated() -> None:
    marked = {(e.feature, e.trait, int(np.sign(e.effect))) for e in effects() if e.replicated}
    assert marked == set(REPLICATED)


def test_every_effect_names_its_source_grade_and_whose_traits() -> None:
    for effect in effects():
        assert effect.source
        assert effect.traits_from
        assert effect.grade == "S"
        assert 0 < abs(effect.effect) <= 0.2, "single-feature effects are small"
        assert not (effect.replicated and effect.contested)


def test_the_appeal_of_independent_features_has_the_published_spread() -> None:
    # judging.md 6.5: about .71 with the norm's correlated traits, .63 with independent ones. The
    # covariance of the appeal is R C R^T; its trace is the variance summed over unit features.
    matrix, correlation = effect_matrix(), norm("sapa-bfi25-adults").correlation
    correlated = np.sqrt(np.trace(matrix @ correlation @ matrix.T))
    independent = np.sqrt(np.trace(matrix @ matrix.T))
    assert (correlated, independent) == pytest.approx((0.71, 0.63), abs=0.02)


def test_the_norms_correlations_can_be_sampled() -> None:
    assert np.linalg.eigvalsh(norm("sapa-bfi25-adults").correlation).min() > 0.5


def test_chance_is_standard_normal_and_uncorrelated() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(2**63, size=400, dtype=np.uint64)
    columns = np.arange(50, dtype=np.uint64)
    table = normal(columns, rows)
    assert table.mean() == pytest.approx(0, abs=0.03)
    assert table.std() == pytest.approx(1, abs=0.03)
    correlations = np.corrcoef(table.T) - np.eye(50)
    assert np.abs(correlations).max() < 0.25


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8, unique=True))
def test_chance_depends_on_the_pair_alone(keys: list[int]) -> None:
    rows = np.array(keys, dtype=np.uint64)
    columns = np.array([5, 9], dtype=np.uint64)
    together = normal(columns, rows)
    alone = np.concatenate([normal(columns, rows[i : i + 1]) for i in range(len(rows))])
    assert np.array_equal(together, alone)
    assert np.array_equal(together[:, 1:], normal(columns[1:], rows))


def test_identities_are_the_heads_of_hashes() -> None:
    assert identities(["00000000000000ff" + "a" * 48]).tolist() == [255]
