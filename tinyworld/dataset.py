"""Drawn pictures with their scenes, rendered in parallel and kept in a folder.

A picture set is determined by its seed and size alone, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyworld.captions import caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import PICTURE_SIZE, Scene, sample_scenes

CHUNK = 500


@dataclass(frozen=True)
class PictureSet:
    """Pictures (N, 64, 64, 3) uint8 and the scene behind each."""

    pictures: NDArray[np.uint8]
    scenes: Sequence[Scene]

    def captions(self, rows: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
        """A fresh wording for each of these rows."""
        return [caption(self.scenes[row], rng) for row in rows]


def draw_pictures(scenes: Sequence[Scene], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw scenes as a stack (N, 64, 64, 3)."""
    stack = np.empty((len(scenes), PICTURE_SIZE, PICTURE_SIZE, 3), dtype=np.uint8)
    for row, scene in enumerate(scenes):
        stack[row] = np.asarray(draw_scene(scene, rng))
    return stack


def held_out_set(count: int, seed: int) -> PictureSet:
    """Pictures of combinations that training never sees."""
    rng = np.random.default_rng([seed, 1])
    scenes = sample_scenes(count, rng, held_out=True)
    return PictureSet(draw_pictures(scenes, rng), scenes)


def training_set(count: int, seed: int, folder: Path, processes: int = 2) -> PictureSet:
    """`count` training pictures; rendered into `folder` the first time, memory-mapped after."""
    file = folder / f"pictures-{seed}-{count}.npy"
    chunks = [(seed, start, min(CHUNK, count - start)) for start in range(0, count, CHUNK)]
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part.npy")
        with get_context("spawn").Pool(processes) as pool:
            np.save(unfinished, np.concatenate(pool.starmap(_draw_chunk, chunks)))
        unfinished.rename(file)
    scenes = [scene for chunk in chunks for scene in _chunk_scenes(*chunk)]
    return PictureSet(np.load(file, mmap_mode="r"), scenes)


def _chunk_scenes(seed: int, start: int, count: int) -> list[Scene]:
    return sample_scenes(count, np.random.default_rng([seed, 0, start]), held_out=False)


def _draw_chunk(seed: int, start: int, count: int) -> NDArray[np.uint8]:
    return draw_pictures(_chunk_scenes(seed, start, count), np.random.default_rng([seed, 2, start]))
