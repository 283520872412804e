"""Files that interrupted experiments go on from: replaced in one stroke, and sure whose they are.

They hold arrays, numbers and texts only: reading one runs no code.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Identity = Mapping[str, Any]
"""Whose file it is: everything that a result depends on, as plain values."""

ABOUT = "about"


class UnreadableFileError(RuntimeError):
    """A file of an experiment is damaged, or something else."""

    def __init__(self, path: Path, error: Exception) -> None:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        super().__init__(f"{path} cannot be read ({reason}): delete it to do its part anew")


class OtherOrderError(RuntimeError):
    """What lies in the folder was made under other settings."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when the block ends well, once it is on the disk.

    What a killed process leaves is `path` as it was, and a part that the next one overwrites.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def save_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any], identity: Identity
) -> None:
    """Keep arrays, and plain values about them, in one .npz of this identity."""
    told = json.dumps({"identity": identity, ABOUT: about})
    kept: dict[str, Any] = {ABOUT: np.array(told), **arrays}
    with replacing(path) as file:
        np.savez(file, **kept)


def load_arrays(path: Path, identity: Identity) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `save_arrays` kept; raises OtherOrderError if it is of another identity."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        told = json.loads(str(arrays.pop(ABOUT)))
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        raise UnreadableFileError(path, error) from error
    must_be_equal(told["identity"], identity, path)
    return arrays, told[ABOUT]


def must_be_equal(then: Identity, now: Identity, path: Path) -> None:
    """Raises OtherOrderError naming what differs between two identities."""
    before, asked = dict(_leaves(then)), dict(_leaves(now))
    differing = [
        f"{name} was {before.get(name, 'not there')} and is {asked.get(name, 'not there')} now"
        for name in asked | before
        if before.get(name) != asked.get(name)
    ]
    if differing:
        raise OtherOrderError(
            f"{path} was made under other settings: {'; '.join(differing)}. Give the same ones to "
            "go on, or another --out to begin anew"
        )


def _leaves(identity: Identity, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in identity.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
