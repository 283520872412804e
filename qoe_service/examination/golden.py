"""The golden set: fixed drawings, damaged copies, prompts that do not fit, and fixed people.

Everything is drawn anew from fixed seeds. Each case has a fingerprint of all that a judge is
given, so that a drawing that has changed is not taken for a judge that has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image
from pydantic import TypeAdapter

from qoe_service.images import Picture
from qoe_service.judges import Case
from qoe_service.judges.reference_set import DAMAGES, agreement
from qoe_service.personas import Persona
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene, sample_scene

FOLDER = files("qoe_service") / "examination"

SEED = 2612

PICTURES = 24

SEVERITY = 3
"""Of `reference_set.SEVERITIES`: anybody sees the damage, and still what is shown."""

BIT_ERROR_RATE = 0.02

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class GoldenCase:
    """One case of the set, made from its picture `of`; `kind` says what was done to it."""

    kind: str
    of: int
    case: Case

    @property
    def name(self) -> str:
        """Under which its values are stored."""
        return f"{self.of:02d}-{self.kind}"


CLEAN, MISMATCHED = "clean", "mismatched"


@dataclass(frozen=True)
class GoldenSet:
    """What is judged, by whom."""

    cases: tuple[GoldenCase, ...]
    people: tuple[Persona, ...]

    def rows(self, *kinds: str) -> list[int]:
        """Where the cases of these kinds stand."""
        return [row for row, case in enumerate(self.cases) if case.kind in kinds]

    def fingerprints(self) -> dict[str, str]:
        """By name, a hash of picture, prompt and people."""
        crowd = "".join(persona.content_hash for persona in self.people)
        return {
            case.name: hashlib.sha256(
                f"{case.case.picture.sha256} {case.case.prompt} {crowd}".encode()
            ).hexdigest()[:16]
            for case in self.cases
        }


@cache
def golden_set() -> GoldenSet:
    """The set as it is drawn here and now."""
    scenes = _scenes()
    cases: list[GoldenCase] = []
    for of, scene in enumerate(scenes):
        drawn = draw_scene(scene, np.random.default_rng([SEED, of]))
        asked, misfit = plain_caption(scene), plain_caption(_least_like(scene, scenes))
        cases += [
            GoldenCase(CLEAN, of, Case(Picture(np.asarray(drawn)), asked)),
            GoldenCase(MISMATCHED, of, Case(Picture(np.asarray(drawn)), misfit)),
            *(
                GoldenCase(kind, of, Case(Picture(_damaged(drawn, kind, of)), asked))
                for kind in _kinds(of)
            ),
        ]
    return GoldenSet(tuple(cases), people())


@cache
def people() -> tuple[Persona, ...]:
    """Both poles of every trait."""
    text = (FOLDER / "people.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Persona, ...]).validate_python(tuple(yaml.safe_load(text)))


def _scenes() -> list[Scene]:
    rng = np.random.default_rng(SEED)
    return [sample_scene(rng) for _ in range(PICTURES)]


def _least_like(scene: Scene, scenes: Sequence[Scene]) -> Scene:
    return min(scenes, key=lambda other: agreement(scene, other))


def _kinds(of: int) -> tuple[str, str]:
    """Two kinds of damage a picture, in turn."""
    names = list(SPOILING)
    return names[of % len(names)], names[(of + 2) % len(names)]


def _damaged(image: Image.Image, kind: str, of: int) -> Pixels:
    rng = np.random.default_rng([SEED, of, list(SPOILING).index(kind)])
    return SPOILING[kind](image, SEVERITY, rng)


def _bit_errors(image: Image.Image, severity: int, rng: np.random.Generator) -> Pixels:
    """Bits of the pixels flipped at random, as a channel without protection leaves them."""
    del severity
    pixels = np.asarray(image)
    flipped = rng.random((*pixels.shape, 8)) < BIT_ERROR_RATE
    return pixels ^ np.packbits(flipped, axis=-1)[..., 0]


SPOILING: dict[str, Callable[[Image.Image, int, np.random.Generator], Pixels]] = {
    **dict(zip(("noise", "blur", "jpeg", "torn"), DAMAGES, strict=True)),
    "bit-errors": _bit_errors,
}
