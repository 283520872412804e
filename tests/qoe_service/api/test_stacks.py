"""The npy reader: what numpy writes comes back, everything else is refused with a reason."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.api.stacks import read_stack
from qoe_service.errors import BadStack

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.just(3))


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def header(text: str) -> bytes:
    encoded = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded)) + encoded


@given(arrays(np.uint8, SHAPES), st.booleans())
def test_what_numpy_saves_is_read(pictures, is_fortran):
    stored = np.asfortranarray(pictures) if is_fortran else pictures
    np.testing.assert_array_equal(read_stack(npy(stored)), pictures)


@given(arrays(np.uint8, SHAPES), st.data())
def test_any_part_of_a_file_is_refused(pictures, data):
    document = npy(pictures)
    with pytest.raises(BadStack):
        read_stack(document[: data.draw(st.integers(0, len(document) - 1))])


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_raise_bad_stack(noise):
    with pytest.raises(BadStack):
        read_stack(b"\x93NUMPY\x01\x00" + noise)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((1, 4, 4, 3), np.float32), "float32"),
        (np.zeros((1, 4, 4, 3), np.int8), "int8"),
        (np.zeros((4, 4, 3), np.uint8), r"\(4, 4, 3\)"),
        (np.zeros((1, 3, 4, 4), np.uint8), r"\(1, 3, 4, 4\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), "holds no pixel"),
    ],
)
def test_a_wrong_array_is_named(array, reason):
    with pytest.raises(BadStack, match=reason):
        read_stack(npy(array))


def test_a_pickle_is_refused_unopened():
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    pickled = np.empty((1, 1, 1, 3), dtype=object)
    pickled.fill(Bomb())
    with pytest.raises(BadStack, match="object"):
        read_stack(npy(pickled, allow_pickle=True))


@pytest.mark.parametrize("shape", ["(1000000, 1000000, 1000000, 3)", "(-1, -1, 1, 3)"])
def test_a_claim_that_the_bytes_do_not_meet_allocates_nothing(shape):
    claim = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}\n"
    with pytest.raises(BadStack):
        read_stack(header(claim) + b"abc")


@pytest.mark.parametrize(
    "text", ["((((", "-" * 9000 + "1", "{[]: 1}", "'''", "{'descr':", "\x00", "a" * 20_000]
)
def test_a_header_that_upsets_the_parser_is_refused(text):
    with pytest.raises(BadStack, match="not an npy file"):
        read_stack(header(text))


def test_an_archive_of_arrays_is_no_stack():
    file = io.BytesIO()
    np.savez(file, pictures=np.zeros((1, 4, 4, 3), np.uint8))
    with pytest.raises(BadStack, match="not an npy file"):
        read_stack(file.getvalue())
