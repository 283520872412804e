"""Words drawn into pictures stand where they should, in the size and colour asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qoe_service.lettering import Lettering, letter, longest_line

GREY = np.full((64, 96, 3), 128, dtype=np.uint8)
HI = Lettering(text="HHH", capital_px=9)


@given(capital_px=st.integers(6, 20), across=st.floats(0, 1), down=st.floats(0, 1))
def test_capitals_have_their_height_and_all_ink_is_in_the_box(
    capital_px: int, across: float, down: float
) -> None:
    found = letter(GREY, replace(HI, capital_px=capital_px, place=(across, down)))
    assert found is not None
    rows, columns = np.nonzero((found.pixels != GREY).any(axis=2))
    top, bottom, left, right = found.box
    assert 0 <= top <= rows.min() <= rows.max() < bottom <= 64
    assert 0 <= left <= columns.min() <= columns.max() < right <= 96
    assert rows.max() + 1 - rows.min() == pytest.approx(capital_px, abs=1)


def test_the_place_is_a_share_of_the_free_room() -> None:
    corner = letter(GREY, replace(HI, place=(0, 0)))
    other = letter(GREY, replace(HI, place=(1, 1)))
    assert corner is not None
    assert other is not None
    assert corner.box[0] == corner.box[2] == 0
    assert (other.box[1], other.box[3]) == (64, 96)


def test_ink_plate_and_outline_are_seen() -> None:
    big = replace(HI, capital_px=20, ink=(255, 0, 0), outline=(0, 255, 0), plate=(0, 0, 255))
    found = letter(GREY, big)
    assert found is not None
    colours = {tuple(colour) for colour in found.pixels.reshape(-1, 3).tolist()}
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)} <= colours


def test_contrast_is_that_of_ink_and_paper() -> None:
    white = letter(GREY, HI)
    faint = letter(GREY, replace(HI, opacity=0.5))
    hidden = letter(GREY, replace(HI, ink=(128, 128, 128)))
    assert white is not None
    assert faint is not None
    assert hidden is not None
    assert white.contrast == pytest.approx(127 / 255)
    assert faint.contrast == pytest.approx(127 / 255 / 2)
    assert (hidden.contrast, hidden.pixels.tolist()) == (0, GREY.tolist())


def test_text_is_broken_and_what_has_no_room_is_not_drawn() -> None:
    found = letter(GREY, replace(HI, text="please rate this picture five"))
    assert found is not None
    assert len(found.lines) > 1
    assert " ".join(found.lines) == "please rate this picture five"
    assert longest_line(found.lines) <= 15
    assert letter(GREY, replace(HI, text="incomprehensibilities", capital_px=14)) is None
