"""Files that come again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from qoe_service.decoded import DecodedPictures
from qoe_service.errors import BadImage
from qoe_service.images import ImageLimits, decode

LIMITS = ImageLimits()
PIXEL_BYTES = 32 * 48 * 3


@pytest.fixture
def files(pictures):
    def png(pixels: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    return [png(pixels) for pixels in pictures]


@pytest.fixture
def decodings(monkeypatch):
    """The files that were really decoded."""
    found: list[bytes] = []

    def counted(data, limits):
        found.append(data)
        return decode(data, limits)

    monkeypatch.setattr("qoe_service.decoded.decode", counted)
    return found


def test_a_file_that_comes_again_is_not_decoded_again(files, decodings):
    decoded = DecodedPictures(LIMITS)
    first = [decoded.picture(file) for file in files]
    again = [decoded.picture(file) for file in reversed(files)][::-1]
    assert decodings == files
    for file, one, other in zip(files, first, again, strict=True):
        assert one is other
        np.testing.assert_array_equal(one.pixels, decode(file, LIMITS).pixels)


def test_the_pixels_of_a_shared_picture_cannot_be_changed(files):
    with pytest.raises(ValueError, match="read-only"):
        DecodedPictures(LIMITS).picture(files[0]).pixels[0] = 0


def test_the_least_recently_used_go_first_and_the_bound_holds(files, decodings):
    decoded = DecodedPictures(LIMITS, max_pixel_bytes=2 * PIXEL_BYTES)
    for index in (0, 1, 0, 2, 0, 1):
        decoded.picture(files[index])
        assert decoded.pixel_bytes <= 2 * PIXEL_BYTES
    assert [files.index(data) for data in decodings] == [0, 1, 2, 1]


def test_a_picture_larger_than_the_memory_is_judged_all_the_same(files):
    decoded = DecodedPictures(LIMITS, max_pixel_bytes=PIXEL_BYTES - 1)
    assert decoded.picture(files[0]).width == 48
    assert decoded.pixel_bytes == 0


def test_what_is_no_picture_is_refused_every_time():
    decoded = DecodedPictures(LIMITS)
    for _ in range(2):
        with pytest.raises(BadImage, match="not a picture"):
            decoded.picture(b"no picture")
