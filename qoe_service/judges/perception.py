"""How a chat judge comes to know a picture: a VLM is shown it, an LLM is told about it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from PIL import Image

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure

LONGEST_SIDE = 1024
"""Larger pictures are reduced to this: hosted models do so themselves, after the upload."""

PREPARATION = f"png-{LONGEST_SIDE}-1"
"""Part of every key: raise the last number when pictures are prepared differently."""


class Percept:
    """What a judge gets to know of one case.

    Args:
        identity: which picture in which preparation, for the key; empty if nothing is shown.
        description: what it is told.
        picture: what it is shown; reduced if very large, and encoded, when first needed.
    """

    def __init__(
        self, identity: str, *, description: str = "", picture: Picture | None = None
    ) -> None:
        self.identity, self.description = identity, description
        self._picture = picture

    @property
    def images(self) -> tuple[Image.Image, ...]:
        """For models on this machine, which need no files."""
        return () if self._picture is None else (reduced(self._picture),)

    @cached_property
    def pictures(self) -> tuple[bytes, ...]:
        """PNG files."""
        return () if self._picture is None else (png(self._picture),)

    def encode(self) -> None:
        """Do now what `pictures` would do later."""
        _ = self.pictures


class Perception(Protocol):
    """A way to perceive cases. Thread-safe."""

    def of(self, cases: Sequence[Case], deadline: Deadline) -> list[Percept | Failure]:
        """What is perceived of each case, or why nothing is."""
        ...

    def canary(self) -> Percept:
        """Something harmless that any judge can judge."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


class Shown:
    """Pictures as they are, equal ones prepared once."""

    def of(self, cases: Sequence[Case], deadline: Deadline) -> list[Percept | Failure]:
        """Every picture."""
        del deadline
        percepts: dict[str, Percept] = {}
        for case in cases:
            sha256 = case.picture.sha256
            if sha256 not in percepts:
                percepts[sha256] = Percept(f"{PREPARATION}/{sha256}", picture=case.picture)
        return [percepts[case.picture.sha256] for case in cases]

    def canary(self) -> Percept:
        """An evening sky."""
        fading = np.linspace((70, 90, 180), (250, 180, 110), 64)
        pixels = np.repeat(fading[:, None, :], 64, axis=1).astype(np.uint8)
        return Percept("canary", picture=Picture(pixels))

    def close(self) -> None:
        """Nothing was opened."""


def reduced(picture: Picture) -> Image.Image:
    """The picture, made smaller if it is very large."""
    image = Image.fromarray(np.ascontiguousarray(picture.pixels))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image


def png(picture: Picture) -> bytes:
    """A PNG file of the picture, reduced if it is very large."""
    file = io.BytesIO()
    reduced(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
