"""A stack of pictures as one `.npy` document, checked before a byte of it is believed."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from qoe_service.errors import BadStack

Pictures = npt.NDArray[np.uint8]

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_stack(document: bytes) -> Pictures:
    """The uint8 pictures (N, H, W, 3) of an npy file, read-only and without a copy.

    `numpy.load` would allocate whatever shape the header claims; here the claim must fit the bytes
    that are there, and dtype `object` (a pickle) is refused with every other dtype.

    Raises:
        BadStack: saying which property of the stack is wrong.
    """
    reader = io.BytesIO(document)
    shape, is_fortran, dtype = _read_header(reader)
    _check_header(shape, dtype)
    expected, found = int(np.prod(shape, dtype=object)), len(document) - reader.tell()
    if expected != found:
        raise BadStack(
            f"pictures: shape {shape} needs {expected} bytes of pixels, but {found} came; "
            "send the file whole"
        )
    pixels = np.frombuffer(document, np.uint8, offset=reader.tell())
    return pixels.reshape(shape, order="F" if is_fortran else "C")


def _read_header(reader: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(reader)
        shape, is_fortran, dtype = _HEADERS[version](reader)
        return tuple(map(int, shape)), is_fortran, dtype
    except Exception as error:  # numpy's parser raises anything on hostile headers
        raise BadStack(f"pictures: not an npy file as numpy.save writes it ({error})") from error


def _check_header(shape: tuple[int, ...], dtype: np.dtype) -> None:
    if dtype != np.uint8:
        raise BadStack(f"pictures: dtype is {dtype}, it must be uint8 with values 0 to 255")
    if len(shape) != 4 or shape[3] != 3:
        raise BadStack(f"pictures: shape is {shape}, it must be (pictures, height, width, 3)")
    if min(shape) < 1:
        raise BadStack(
            f"pictures: shape is {shape}, which holds no pixel; send at least one picture"
        )
