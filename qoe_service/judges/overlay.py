"""Whether writing was laid over a picture: it may be trying to talk to the judge.

A small convolutional network in plain numpy looks for the texture of a line of letters, every
fourth pixel each way, at every scale from the picture's own size downwards. It does not read. Its
weights were trained by `overlay_training` on drawn pictures, textures and damaged pictures, with
and without words in Latin letters and digits.

What it can and cannot see, with measured figures, stands in docs/judging.md. In short: lines of at
least four letters that stand out in brightness, with capitals of about 8 pixels or more (12 in
pictures larger than 64 pixels), lying about level. Fewer letters, steep or curved writing, other
scripts, writing as bright as what is behind it, and faint watermarks are missed or seen by luck;
writing that belongs to the scene, such as a street sign, is flagged too. On photographs it has
not been measured.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file
from threading import Lock
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from PIL import Image

from qoe_service.images import Picture
from qoe_service.judges import Deadline
from qoe_service.judges.evidence import FOLDER

logger = logging.getLogger(__name__)

Stack = NDArray[np.uint8]
Maps = NDArray[np.float32]

WEIGHTS_FILE = "overlay.safetensors"

STRIDES = (2, 1, 1, 1, 1)
"""Of the layers; after the second, every four neighbours become one."""

GRID = 4
"""Pixels from one place that is looked at to the next."""

SMALLEST_SIDE = 64
"""A picture is looked at in halves of its size down to this shorter side."""

LONGEST_SIDE = 1024
"""Larger pictures are reduced first: so do judges, and letters that vanish then talk to nobody."""

PLACES = 4
"""A line of letters shows in several places: the mean of the highest so many counts."""

CHUNK_PIXELS = 8 * 64 * 64
"""Pixels looked at together: what fits a processor's cache is several times faster."""

REMEMBERED = 65_536


@dataclass(frozen=True, eq=False)
class Layer:
    """A convolution: kernel (rows, columns, channels in, channels out) and bias."""

    kernel: Maps
    bias: Maps
    stride: int = 1

    def __call__(self, maps: Maps) -> Maps:
        """Maps (N, H, W, C) to maps of the same or half the size, padded with zeros."""
        rows, columns, channels, out = self.kernel.shape
        half = ((0, 0), (rows // 2, rows // 2), (columns // 2, columns // 2), (0, 0))
        padded = np.pad(maps, half)
        count, height, width, _ = padded.shape
        down, across = (height - rows) // self.stride + 1, (width - columns) // self.stride + 1
        steps = padded.strides
        windows = as_strided(  # neighbours in a row lie side by side in memory
            padded,
            (count, down, across, rows, columns * channels),
            (steps[0], steps[1] * self.stride, steps[2] * self.stride, steps[1], steps[3]),
            writeable=False,
        )
        flat = windows.reshape(-1, rows * columns * channels)
        found: Maps = flat @ self.kernel.reshape(-1, out)
        found += self.bias
        return found.reshape(count, down, across, out)


@dataclass(frozen=True, eq=False)
class WritingDetector:
    """The trained network.

    A picture is flagged above a logit: `threshold` if it is looked at in one scale, and
    `threshold_larger` if in several, for where more places are looked at more is seen by chance.
    """

    layers: tuple[Layer, ...]
    threshold: float
    threshold_larger: float

    def flags(self, pixels: Stack) -> NDArray[np.bool_]:
        """Whether each of pictures of one size, uint8 (N, H, W, 3), is written on."""
        larger = min(pixels.shape[1:3]) >= 2 * SMALLEST_SIDE
        return self.logits(pixels) > (self.threshold_larger if larger else self.threshold)

    def logits(self, pixels: Stack) -> NDArray[np.float32]:
        """How much each of pictures of one size, uint8 (N, H, W, 3), looks as if written on."""
        by_scale = [self._at_one_scale(scaled) for scaled in _scales(pixels)]
        return np.asarray(np.max(by_scale, axis=0))

    def _at_one_scale(self, pixels: Stack) -> NDArray[np.float32]:
        chunk = max(1, CHUNK_PIXELS // (pixels.shape[1] * pixels.shape[2]))
        parts = [self._look(pixels[i : i + chunk]) for i in range(0, len(pixels), chunk)]
        return np.concatenate(parts)

    def _look(self, pixels: Stack) -> NDArray[np.float32]:
        first, second, *rest, last = self.layers
        maps = pixels.astype(np.float32)
        maps *= np.float32(1 / 255)
        maps -= np.float32(0.5)
        maps = _halved(_positive(second(_positive(first(maps)))))
        for layer in rest:
            maps = _positive(layer(maps))
        places = last(maps).reshape(len(pixels), -1)
        return np.asarray(np.partition(places, -PLACES, axis=1)[:, -PLACES:].mean(axis=1))


@cache
def writing_detector() -> WritingDetector:
    """The detector that is shipped."""
    from safetensors import safe_open

    with as_file(FOLDER / WEIGHTS_FILE) as path, safe_open(path, framework="np") as file:
        card = file.metadata()
        layers = [
            Layer(_tensor(file, f"{index}.kernel"), _tensor(file, f"{index}.bias"), stride)
            for index, stride in enumerate(STRIDES)
        ]
    return WritingDetector(tuple(layers), float(card["threshold"]), float(card["threshold_larger"]))


def _tensor(file: Any, name: str) -> Maps:
    return np.ascontiguousarray(file.get_tensor(name), dtype=np.float32)


class Overlays:
    """Which pictures have writing laid over them. Looks once, beside the judging. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, bool] = OrderedDict()
        self._lock = Lock()
        self._looker = ThreadPoolExecutor(1, "writing-detector")

    def look(self, pictures: Sequence[Picture]) -> Looking:
        """Begin to look at pictures that were not seen lately."""
        keys = tuple(picture.sha256 for picture in pictures)
        with self._lock:
            known = {key: self._known[key] for key in keys if key in self._known}
        new = {p.sha256: p for p in pictures if p.sha256 not in known}
        return Looking(keys, known, self._looker.submit(self._seen, new) if new else None)

    def close(self) -> None:
        """End the thread; what has not been looked at will not be."""
        self._looker.shutdown(cancel_futures=True)

    def _seen(self, new: Mapping[str, Picture]) -> dict[str, bool]:
        flags = written_over(list(new.values()), writing_detector())
        fresh = dict(zip(new, flags, strict=True))
        with self._lock:
            self._known.update(fresh)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return fresh


@dataclass(frozen=True)
class Looking:
    """Pictures being looked at."""

    keys: tuple[str, ...]
    known: Mapping[str, bool]
    rest: Future[dict[str, bool]] | None

    def flags(self, deadline: Deadline) -> list[bool | None]:
        """One flag a picture; `None` for those that nobody has looked at in time."""
        found = {**self.known, **self._rest(deadline)}
        return [found.get(key) for key in self.keys]

    def _rest(self, deadline: Deadline) -> Mapping[str, bool]:
        if self.rest is None:
            return {}
        try:
            return self.rest.result(deadline.left_s)
        except (TimeoutError, CancelledError):
            return {}
        except Exception:
            logger.exception("pictures could not be searched for writing")
            return {}


def written_over(pictures: Sequence[Picture], detector: WritingDetector) -> list[bool]:
    """Whether writing was laid over each of the pictures, of any sizes."""
    reduced = [_reduced(picture.pixels) for picture in pictures]
    flags = np.zeros(len(pictures), dtype=bool)
    for shape in {pixels.shape for pixels in reduced}:
        rows = [row for row, pixels in enumerate(reduced) if pixels.shape == shape]
        flags[rows] = detector.flags(np.stack([reduced[row] for row in rows]))
    return flags.tolist()


def _scales(pixels: Stack) -> Iterator[Stack]:
    """The pictures as they are, and in halves of their size; sides are multiples of the grid."""
    while True:
        height, width = (GRID * (side // GRID) for side in pixels.shape[1:3])
        yield pixels[:, :height, :width]
        if min(height, width) < 2 * SMALLEST_SIDE:
            return
        pixels = _half_size(pixels)


def _half_size(pixels: Stack) -> Stack:
    height, width = (2 * (side // 2) for side in pixels.shape[1:3])
    quarters = pixels[:, :height, :width].astype(np.uint16)
    rows = quarters[:, ::2] + quarters[:, 1::2]
    return ((rows[:, :, ::2] + rows[:, :, 1::2] + 2) >> 2).astype(np.uint8)


def _halved(maps: Maps) -> Maps:
    """The highest of every four neighbours."""
    rows = np.maximum(maps[:, ::2], maps[:, 1::2])
    return np.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def _positive(maps: Maps) -> Maps:
    return np.maximum(maps, 0, out=maps)


def _reduced(pixels: Stack) -> Stack:
    longest = max(pixels.shape[:2])
    if longest <= LONGEST_SIDE:
        return pixels
    height, width = (max(GRID * GRID, side * LONGEST_SIDE // longest) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))
