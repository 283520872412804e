"""Items from what people hold: whatever it is, the same pixels arrive."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from qoe_service.items import make_item


def pixels_of(item) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(item.image))).convert("RGB"))


def test_array_image_bytes_and_path_carry_the_same_pixels(pictures, png_bytes, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(png_bytes)
    for held in (pictures[0], Image.fromarray(pictures[0]), png_bytes, path, str(path)):
        np.testing.assert_array_equal(pixels_of(make_item(held, "x", id="a")), pictures[0])


def test_files_travel_untouched(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a picture")
    assert base64.b64decode(make_item(path, "x", id="a").image) == b"not a picture"


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3)), np.zeros((1, 4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)]
)
def test_an_array_that_is_no_picture_is_refused(array):
    with pytest.raises(TypeError, match=r"uint8 \(height, width, 3\)"):
        make_item(array, "x", id="a")


def test_everything_else_is_passed_on(png_bytes):
    item = make_item(png_bytes, "a slope", id="a", group_id="g", delay_s=1.5)
    assert (item.id, item.prompt, item.group_id, item.context.delay_s) == ("a", "a slope", "g", 1.5)
