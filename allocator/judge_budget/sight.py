"""What can be seen of a catalogue without asking anybody: its pictures through a CLIP, its words.

Drawing and embedding costs no judge call, so all pictures are seen before the first is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.training.run_files import replacing

if TYPE_CHECKING:
    import torch

    from allocator.plan import DenoisingPlan

BATCH = 256


class Eyes(Protocol):
    """A CLIP, such as `tinyworld.clip.load_clip()`."""

    @property
    def revision(self) -> str: ...

    def embed_pictures(self, pictures: NDArray[np.uint8]) -> torch.Tensor: ...

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor: ...


class Painter(Protocol):
    """Draws plans, such as `Generator`."""

    def run(self, plans: Sequence[DenoisingPlan]) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class Sight:
    """A catalogue as a CLIP sees it.

    pictures: (prompts, seeds, branch steps, error levels, D) unit vectors. prompts: (prompts, D).
    context: (branch steps, error levels, 2) the share of steps that are shared, and the bit error
    rate. revision: of the CLIP.
    """

    pictures: Floats
    prompts: Floats
    context: Floats
    revision: str

    @property
    def shape(self) -> tuple[int, ...]:
        """(prompts, seeds, branch steps, error levels)."""
        return self.pictures.shape[:-1]

    def save(self, path: Path) -> None:
        """Write one .npz, in half precision."""
        with replacing(path) as file:
            np.savez_compressed(
                file,
                pictures=self.pictures.astype(np.float16),
                prompts=self.prompts.astype(np.float16),
                context=self.context,
                revision=np.array(self.revision),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                arrays["pictures"].astype(np.float64),
                arrays["prompts"].astype(np.float64),
                arrays["context"],
                str(arrays["revision"]),
            )


def see(catalogue: Catalogue, painter: Painter, eyes: Eyes) -> Sight:
    """Draw all pictures of a catalogue, those that a store keeps excepted, and look at them."""
    pictures = np.concatenate(
        [_embedded(part, catalogue, painter, eyes) for part in _parts(catalogue)]
    )
    return Sight(
        pictures=pictures.reshape(*catalogue.shape, -1),
        prompts=eyes.embed_texts(catalogue.prompts).numpy().astype(np.float64),
        context=context_of(catalogue),
        revision=eyes.revision,
    )


def context_of(catalogue: Catalogue) -> Floats:
    """(branch steps, error levels, 2) the share of steps that are shared, and the bit error rate.

    Who branches at 0 receives nothing over the air.
    """
    _, _, steps, _ = catalogue.shape
    shared, rate = np.meshgrid(
        np.arange(steps) / steps, np.asarray(catalogue.error_levels), indexing="ij"
    )
    return np.stack([shared, np.where(shared > 0, rate, 0.0)], axis=-1)


def _parts(catalogue: Catalogue) -> Iterator[Indices]:
    axes = np.meshgrid(*map(np.arange, catalogue.shape), indexing="ij")
    everything = np.stack(axes, axis=-1).reshape(-1, 4)
    everything[everything[:, 2] == 0, 3] = 0
    for start in range(0, len(everything), BATCH):
        yield everything[start : start + BATCH]


def _embedded(cells: Indices, catalogue: Catalogue, painter: Painter, eyes: Eyes) -> Floats:
    plans = [catalogue.plan(*(int(index) for index in cell)) for cell in cells]
    return eyes.embed_pictures(painter.run(plans)).numpy().astype(np.float64)
