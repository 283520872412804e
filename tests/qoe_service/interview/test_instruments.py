"""The instruments are what was published, and a damaged one is refused."""

from __future__ import annotations

import numpy as np
import pytest

from qoe_service.interview.instruments import (
    FOLDER,
    INSTRUMENTS,
    InstrumentError,
    load_instrument,
    parse_instrument,
)
from qoe_service.schemas import TRAITS
from tests.fake_provider.statements import key_of, keys

MINI, FIFTY = load_instrument("mini-ipip"), load_instrument("ipip-50")
TEXT = (FOLDER / "mini-ipip.yaml").read_text(encoding="utf-8")


def test_the_mini_ipip_has_four_statements_a_trait_with_the_published_keys() -> None:
    """Donnellan et al. (2006): statements 6 to 10 and 15 to 20 are reversed, 11 of 20."""
    published = [(1, 3), (2, 2), (2, 2), (2, 2), (2, 2)]
    assert [scale.keys for scale in MINI.scales] == published
    assert len(MINI.statements) == 20
    assert (MINI.keys < 0).sum() == 11


def test_the_markers_have_ten_statements_a_factor_with_the_published_keys() -> None:
    """Intellect, Conscientiousness, Extraversion, Agreeableness, Emotional Stability."""
    assert [scale.keys for scale in FIFTY.scales] == [(7, 3), (6, 4), (5, 5), (6, 4), (2, 8)]
    assert len(FIFTY.statements) == 50


def test_emotional_stability_is_turned_into_neuroticism() -> None:
    stability = FIFTY.scales[TRAITS.index("neuroticism")]
    assert (stability.factor, stability.sign) == ("Emotional Stability", -1)
    by_text = {statement.text: statement for statement in stability.statements()}
    assert by_text["Am relaxed most of the time."].key == -1
    assert by_text["Worry about things."].key == 1
    assert sorted(statement.key for statement in stability.statements()) == [-1] * 2 + [1] * 8


def test_the_mini_ipip_is_a_part_of_the_markers_and_keyed_alike() -> None:
    of_fifty = {statement.text: statement for statement in FIFTY.statements}
    assert all(of_fifty[statement.text] == statement for statement in MINI.statements)


@pytest.mark.parametrize("instrument", [MINI, FIFTY], ids=lambda one: one.id)
def test_every_key_is_the_one_that_was_written_down_elsewhere(instrument) -> None:
    for statement in instrument.statements:
        key = key_of(statement.text)
        assert key is not None, statement.text
        assert (statement.trait, statement.key) == (key.trait, key.sign), statement.text
    assert len(keys()) == 50


@pytest.mark.parametrize("instrument", [MINI, FIFTY], ids=lambda one: one.id)
def test_the_options_go_up_and_the_licence_is_free(instrument) -> None:
    assert instrument.options[0] == "very inaccurate"
    assert instrument.options[2] == "neither accurate nor inaccurate"
    assert instrument.options[4] == "very accurate"
    assert "public domain" in instrument.licence


def test_arrays_follow_the_statements() -> None:
    assert np.bincount(FIFTY.traits).tolist() == [10] * 5
    assert TRAITS[FIFTY.traits[0]] == FIFTY.statements[0].trait


def test_an_unknown_instrument_is_told_which_there_are() -> None:
    with pytest.raises(InstrumentError, match=r"no instrument 'bfi-44'; there are mini-ipip"):
        load_instrument("bfi-44")
    assert INSTRUMENTS == ("mini-ipip", "ipip-50")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("keys: [1, 3]", "keys: [2, 2]", r"scales\.0: .*\(1, 3\) statements keyed"),
        ("      - Like order.\n", "", r"scales\.1: .*\(1, 2\) statements"),
        ("Like order.", "Get upset easily.", "says twice: Get upset easily"),
        ("trait: openness", "trait: honesty", "one scale for each of openness"),
        ("sign: 1", "sign: 2", r"scales\.0\.sign"),
        ("  - very accurate\n", "", "options"),
        ("id: mini-ipip", "id: [", "not valid YAML"),
    ],
)
def test_a_damaged_instrument_is_refused(right: str, wrong: str, told: str) -> None:
    assert right in TEXT
    with pytest.raises(InstrumentError, match=rf"mine: .*{told}|mine: {told}"):
        parse_instrument(TEXT.replace(right, wrong, 1), source="mine")
