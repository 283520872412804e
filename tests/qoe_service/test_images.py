"""Every way in which bytes can fail to be a picture, and what becomes of those that are."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from qoe_service.errors import BadImage
from qoe_service.images import ImageLimits, Picture, checked, decode, decode_base64

LIMITS = ImageLimits()
RED = (200, 30, 40)


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


def png_chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def plain(size: tuple[int, int] = (32, 24), colour: object = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "BMP", "TIFF"])
def test_a_lossless_file_comes_out_as_it_went_in(file_format: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(Image.fromarray(pixels), file_format, **options)
    assert np.array_equal(decode(data, LIMITS).pixels, pixels)


def test_jpeg_and_gif_are_read() -> None:
    for file_format in ("JPEG", "GIF"):
        picture = decode(encoded(plain(), file_format), LIMITS)
        assert (picture.width, picture.height) == (32, 24)
        assert np.abs(picture.pixels.astype(int) - RED).max() < 6


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg/>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n"])
def test_what_is_not_a_picture_is_named_so(data: bytes) -> None:
    with pytest.raises(BadImage, match=r"not a picture|unreadable"):
        decode(data, LIMITS)


def test_formats_with_dangerous_decoders_are_not_even_tried() -> None:
    with pytest.raises(BadImage, match="not a picture; send one of PNG"):
        decode(encoded(plain(), "EPS"), LIMITS)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_truncated_file_is_refused(file_format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), file_format)
    with pytest.raises(BadImage, match=r"truncated|unreadable|not a picture"):
        decode(whole[: len(whole) // 2], LIMITS)


def test_a_tiny_picture_is_refused() -> None:
    with pytest.raises(BadImage, match="1x1 pixels; each side needs at least 16"):
        decode(encoded(plain((1, 1))), LIMITS)


@pytest.mark.parametrize("side", [6_000, 12_000, 20_000])
def test_a_huge_claim_is_refused_by_its_header_alone(side: int) -> None:
    tracemalloc.start()
    with pytest.raises(BadImage, match="pixels"):
        decode(png_header(side, side), LIMITS)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_a_file_with_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(BadImage, match="at most 100 are accepted"):
        decode(b"x" * 101, ImageLimits(max_bytes=100))


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_an_animation_is_refused(file_format: str) -> None:
    frames = [plain(colour=(0, 0, value)) for value in (0, 90, 180)]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    with pytest.raises(BadImage, match="3 frames; send the one frame"):
        decode(data, LIMITS)


def test_sixteen_bit_grey_keeps_its_upper_bits() -> None:
    wide = np.full((20, 20), 0xAB12, dtype=np.uint16)
    picture = decode(encoded(Image.fromarray(wide)), LIMITS)
    assert (picture.pixels == 0xAB).all()


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(BadImage, match="convert the picture to 8 bits"):
        decode(encoded(plain(colour=0.5, mode="F"), "TIFF"), LIMITS)


def test_cmyk_becomes_rgb() -> None:
    picture = decode(encoded(plain(colour=(0, 255, 255, 0), mode="CMYK"), "TIFF"), LIMITS)
    assert np.abs(picture.pixels.astype(int) - (255, 0, 0)).max() <= 2


def test_transparency_is_laid_over_white() -> None:
    image = plain(colour=(0, 0, 0, 0), mode="RGBA")
    image.paste((255, 0, 0, 128), (0, 0, 16, 24))
    picture = decode(encoded(image), LIMITS)
    assert picture.pixels[0, 31].tolist() == [255, 255, 255]
    assert picture.pixels[0, 0].tolist() == [255, 127, 127]


def test_a_palette_with_a_transparent_colour_is_laid_over_white() -> None:
    image = plain(colour=1, mode="P")
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 16, 24))
    picture = decode(encoded(image, transparency=0), LIMITS)
    assert picture.pixels[0, 0].tolist() == [255, 255, 255]
    assert picture.pixels[0, 31].tolist() == list(RED)


def test_a_photograph_is_turned_upright() -> None:
    image = plain((40, 20), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture needs a quarter turn clockwise
    picture = decode(encoded(image, exif=exif), LIMITS)
    assert (picture.width, picture.height) == (20, 40)
    assert picture.pixels[0, 0, 0] == 255
    assert picture.pixels[-1, 0, 0] == 0


def test_base64_may_be_a_data_url_and_must_be_base64() -> None:
    assert decode_base64("aGk=") == decode_base64("data:image/png;base64,aGk=") == b"hi"
    for wrong in ("a", "aGk", "a*k=", "é"):
        with pytest.raises(BadImage, match="not base64"):
            decode_base64(wrong)


def test_the_hash_tells_pictures_apart_by_content_and_shape() -> None:
    flat = np.arange(32 * 64 * 3, dtype=np.uint32).astype(np.uint8)
    wide, tall = Picture(flat.reshape(32, 64, 3)), Picture(flat.reshape(64, 32, 3))
    assert wide.sha256 != tall.sha256
    assert wide.sha256 == decode(encoded(Image.fromarray(wide.pixels)), LIMITS).sha256


def test_pixels_that_arrive_as_pixels_have_the_same_limits() -> None:
    with pytest.raises(BadImage, match="8x32"):
        checked(np.zeros((32, 8, 3), dtype=np.uint8), LIMITS)


MAGIC = [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00", b"\xff\xd8\xff\xe0"]


@given(data=st.binary(max_size=400), head=st.sampled_from(MAGIC))
@settings(max_examples=150, deadline=None)
def test_no_bytes_whatever_raise_anything_else(data: bytes, head: bytes) -> None:
    try:
        picture = decode(head + data, LIMITS)
    except BadImage:
        return
    assert picture.pixels.dtype == np.uint8
