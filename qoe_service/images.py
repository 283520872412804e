"""Untrusted bytes into checked pictures.

The header is judged before a single pixel is decoded, so that a small file which claims to be
enormous costs nothing. What comes out is always 8-bit RGB, upright, opaque (transparency is laid
over white) and one frame: a file with several frames is refused, because judging the first one
would be an opinion about something else than what was sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from qoe_service.errors import BadImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The only decoders that ever see untrusted bytes."""


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What a picture file may be."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 25_000_000
    min_side: int = 16


@dataclass(frozen=True, eq=False)
class Picture:
    """A checked picture: `pixels` is uint8 RGB of shape (height, width, 3)."""

    pixels: NDArray[np.uint8]

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Hash of mode, size and pixels: equal for equal pictures, whatever file they came in.

        The size is part of it, since a 64x32 and a 32x64 picture may hold the same bytes.
        """
        digest = hashlib.sha256(f"RGB {self.width}x{self.height} ".encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()


def decode_base64(text: str) -> bytes:
    """The bytes of a base64 text, with or without a `data:` prefix. Raises `BadImage`."""
    payload = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImage(f"not base64 ({error}); send the picture file's bytes as base64") from None


def decode(data: bytes, limits: ImageLimits) -> Picture:
    """The picture in a file's bytes.

    Raises:
        BadImage: naming what was wrong and what to send instead.
    """
    if len(data) > limits.max_bytes:
        raise BadImage(
            f"{len(data)} bytes; at most {limits.max_bytes} are accepted, send a smaller file"
        )
    image = _open(data)
    _check_header(image, limits)
    return Picture(_upright_rgb(image))


def checked(pixels: NDArray[np.uint8], limits: ImageLimits) -> Picture:
    """A picture that arrived as pixels, uint8 (height, width, 3). Raises `BadImage`."""
    picture = Picture(pixels)
    _check_size(picture.width, picture.height, limits)
    return picture


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise BadImage(f"not a picture; send one of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"too many pixels ({error}); send a smaller picture") from None
    except Exception as error:
        raise BadImage(f"unreadable header ({error}); send the file again") from error


def _check_header(image: Image.Image, limits: ImageLimits) -> None:
    _check_size(image.width, image.height, limits)
    # Phones store a second view in an MPO; its first frame is the photograph.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise BadImage(f"{frames} frames; send the one frame that is to be judged")


def _check_size(width: int, height: int, limits: ImageLimits) -> None:
    if min(width, height) < limits.min_side:
        raise BadImage(
            f"{width}x{height} pixels; each side needs at least {limits.min_side} to be judged, "
            "send a larger picture"
        )
    if width * height > limits.max_pixels:
        raise BadImage(
            f"{width}x{height} pixels; at most {limits.max_pixels} in all, send a smaller picture"
        )


def _upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    try:
        image.load()
        opaque = _opaque(_eight_bits(ImageOps.exif_transpose(image)))
        return np.asarray(opaque.convert("RGB"))
    except BadImage:
        raise
    except Exception as error:
        raise BadImage(f"damaged or truncated ({error}); send the whole file again") from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """Integer greys wider than 8 bits keep their upper 8 of 16 bits."""
    if image.mode == "F":
        raise BadImage("floating-point pixels; convert the picture to 8 bits a channel")
    if not image.mode.startswith("I"):
        return image
    wide = np.asarray(image)
    if wide.min() < 0 or wide.max() > 0xFFFF:
        raise BadImage("32-bit pixels; convert the picture to 8 bits a channel")
    return Image.fromarray((wide.astype(np.uint32) >> 8).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """Transparency laid over white, as a page would show it."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
