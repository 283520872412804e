"""The reference set: drawn pictures whose truth is known, which judges are fitted to and tested on.

Each case is a scene of tinyworld, spoilt to a known severity, and a caption of a scene that shares
a known part of its factors. So the right answer (how well the picture fits its prompt, how good it
is technically) is not anybody's opinion.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from qoe_service.images import Picture
from qoe_service.judges.appeal import identities
from qoe_service.judges.scale import liking, worth
from tinyworld.captions import caption, plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene, possible_actions, sample_scene

Array = NDArray[np.float64]

SEVERITIES = 5
"""Grades of damage: 0 none, 4 the worst."""

FACTOR_WEIGHTS = {
    "subjects": 0.30,
    "place": 0.20,
    "time": 0.15,
    "style": 0.15,
    "action": 0.10,
    "tidiness": 0.10,
}
"""What people ask for first is who is in the picture, then where."""


@dataclass(frozen=True)
class ReferenceSet:
    """N cases with their truth."""

    name: str
    """How it was drawn, for provenance."""
    pictures: tuple[Picture, ...]
    prompts: tuple[str, ...]
    alignment: Array
    """(N,) weighted share of the prompt's factors that the picture shows."""
    shown: tuple[Scene, ...]
    """What was drawn."""
    quality: Array
    """(N,) 1 untouched, falling by equal steps to 0.1 at the worst severity."""

    @property
    def liking(self) -> Array:
        """(N,) what a judge without fault would call the picture's liking."""
        return liking(worth(self.alignment, self.quality))

    @property
    def keys(self) -> NDArray[np.uint64]:
        """(N,) identities of the pictures."""
        return identities(picture.sha256 for picture in self.pictures)

    @property
    def untouched(self) -> NDArray[np.bool_]:
        """(N,) the pictures as drawn."""
        return np.asarray(self.quality == 1)


def draw_reference_set(count: int, seed: int) -> ReferenceSet:
    """`count` cases; two fifths are untouched, the rest spread over the four severities."""
    rng = np.random.default_rng(seed)
    pictures, prompts, scenes, alignment, quality = [], [], [], [], []
    for _ in range(count):
        shown = sample_scene(rng)
        asked = _altered(shown, rng)
        severity = max(0, int(rng.integers(-1, SEVERITIES)))
        pixels = _damaged(draw_scene(shown, rng), severity, rng)
        pictures.append(Picture(pixels))
        scenes.append(shown)
        prompts.append(plain_caption(asked) if rng.random() < 0.5 else caption(asked, rng))
        alignment.append(agreement(shown, asked))
        quality.append(1 - 0.9 * severity / (SEVERITIES - 1))
    return ReferenceSet(
        name=f"drawn-{count}-seed-{seed}",
        pictures=tuple(pictures),
        prompts=tuple(prompts),
        shown=tuple(scenes),
        alignment=np.array(alignment),
        quality=np.array(quality),
    )


DRAWN_FEATURES: Mapping[str, Callable[[Scene], bool]] = {
    "people": lambda scene: not {"man", "woman"}.isdisjoint(scene.subjects),
    "abstract_art": lambda scene: scene.style == "mural",
    "action": lambda scene: scene.action in ("walks", "flies"),
    "nature": lambda scene: scene.place in ("park", "beach", "mountain"),
    "pets": lambda scene: not {"dog", "cat"}.isdisjoint(scene.subjects),
    "indoor": lambda scene: scene.place == "room",
}
"""Which of the evidence's features can be drawn, and when a scene has them."""


def agreement(shown: Scene, asked: Scene) -> float:
    """Weighted share of the factors asked for that are shown; subjects count by overlap."""
    equal = {
        name: float(getattr(shown, name) == getattr(asked, name))
        for name in FACTOR_WEIGHTS
        if name != "subjects"
    }
    equal["subjects"] = _overlap(shown.subjects, asked.subjects)
    return sum(weight * equal[name] for name, weight in FACTOR_WEIGHTS.items())


def _overlap(first: Sequence[str], second: Sequence[str]) -> float:
    union = set(first) | set(second)
    return len(set(first) & set(second)) / len(union) if union else 1.0


def _altered(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with some of its factors, none to all of them, drawn anew."""
    other = sample_scene(rng)
    names = list(FACTOR_WEIGHTS)
    changed = rng.choice(names, size=int(rng.integers(len(names) + 1)), replace=False)
    fields = {str(name): getattr(other, name) for name in changed}
    subjects = fields.get("subjects", scene.subjects)
    action = fields.get("action", scene.action)
    if action not in possible_actions(subjects):
        action = possible_actions(subjects)[-1]
    return replace(scene, **(fields | {"subjects": subjects, "action": action}))


def _damaged(image: Image.Image, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    if severity == 0:
        return np.asarray(image)
    damage = DAMAGES[int(rng.integers(len(DAMAGES)))]
    return damage(image, severity, rng)


def _noisy(image: Image.Image, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    pixels = np.asarray(image, dtype=float)
    noise = rng.normal(0, 9 * 1.8**severity / 1.8, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _blurred(image: Image.Image, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    del rng
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.6 * severity)))


def _blocky(image: Image.Image, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    del rng
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=(40, 20, 10, 4)[severity - 1])
    return np.asarray(Image.open(buffer).convert("RGB"))


def _torn(image: Image.Image, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blocks of wrong content, as lost packets leave them."""
    pixels = np.array(image)
    rows, columns = pixels.shape[0] // 8, pixels.shape[1] // 8
    lost = rng.choice(rows * columns, size=rows * columns * severity // 12, replace=False)
    for block in lost:
        y, x = 8 * (block // columns), 8 * (block % columns)
        pixels[y : y + 8, x : x + 8] = rng.integers(0, 256, 3)
    return pixels


Damage = Callable[[Image.Image, int, np.random.Generator], NDArray[np.uint8]]

DAMAGES: tuple[Damage, ...] = (_noisy, _blurred, _blocky, _torn)
