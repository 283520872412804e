"""What each way of drawing a picture is worth to each persona: met once, remembered ever after.

A cell is (prompt, seed, branch step, error level); its picture is drawn by the generator and its
opinions, one a persona, come from the oracle. A failed opinion is NaN and is not remembered: the
next visit asks again.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue

if TYPE_CHECKING:
    from allocator.diffusion.generator import Generator
    from allocator.oracle import Oracle

BATCH = 256
"""Pictures drawn and judged at a time: bounds the memory, not the answer."""


@dataclass(frozen=True)
class Cells:
    """Users' experiences as indices into a catalogue and its panel; all arrays of one shape."""

    prompt: Indices
    seed: Indices
    branch: Indices
    error_level: Indices
    persona: Indices

    @property
    def pictures(self) -> tuple[Indices, ...]:
        """The index of each cell's picture: (prompt, seed, branch, error level).

        Who branches at 0 receives nothing over the air, so no error can reach the picture.
        """
        errors = np.where(self.branch == 0, 0, self.error_level)
        return self.prompt, self.seed, self.branch, errors


class Experience(Protocol):
    """Turns cells into rewards. `traits` is (personas, 5), z-scores in the order of TRAITS."""

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def personas(self) -> tuple[str, ...]: ...

    @property
    def traits(self) -> Floats: ...

    def rewards(self, cells: Cells) -> Floats:
        """Rewards in [0, 1] of the cells' shape; NaN where nobody could judge."""
        ...


class UnjudgedError(RuntimeError):
    """A reward was needed that the oracle did not give."""


@dataclass(frozen=True)
class RecordedExperience:
    """Opinions read from a file: the whole table, made once by the real loop.

    table: (prompts, seeds, branch steps, error levels, personas) rewards, NaN where none.
    """

    catalogue: Catalogue
    personas: tuple[str, ...]
    traits: Floats
    table: Floats

    def __post_init__(self) -> None:
        expected = (*self.catalogue.shape, len(self.personas))
        if self.table.shape != expected:
            raise ValueError(
                f"a table for this catalogue and panel has the shape {expected}, "
                f"got {self.table.shape}: record it again"
            )

    def rewards(self, cells: Cells) -> Floats:
        """Look the cells up."""
        found: Floats = self.table[(*cells.pictures, cells.persona)]
        return found

    def save(self, path: Path) -> None:
        """Write one .npz: the table beside everything needed to read it again."""
        catalogue = self.catalogue
        about = {
            "prompts": catalogue.prompts,
            "seeds": catalogue.seeds,
            "total_steps": catalogue.total_steps,
            "error_levels": catalogue.error_levels,
            "personas": self.personas,
        }
        np.savez_compressed(
            path,
            about=np.array(json.dumps(about)),
            members=catalogue.members,
            public=catalogue.public,
            similarity=catalogue.similarity,
            traits=self.traits,
            table=self.table.astype(np.float32),
        )

    @classmethod
    def load(cls, path: Path) -> RecordedExperience:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            catalogue = Catalogue(
                prompts=tuple(about["prompts"]),
                members=arrays["members"],
                public=arrays["public"],
                similarity=arrays["similarity"],
                seeds=tuple(about["seeds"]),
                total_steps=about["total_steps"],
                error_levels=tuple(about["error_levels"]),
            )
            table = arrays["table"].astype(np.float64)
            return cls(catalogue, tuple(about["personas"]), arrays["traits"], table)


@dataclass
class ExperienceCounts:
    """What filling the table cost so far. `lookups` counts users served, `misses` pictures made."""

    lookups: int = 0
    misses: int = 0
    generating_s: float = 0.0
    judging_s: float = 0.0


class LiveExperience:
    """Pictures really generated and really judged, on first visit, in batches."""

    def __init__(self, catalogue: Catalogue, generator: Generator, oracle: Oracle) -> None:
        self.catalogue = catalogue
        self.counts = ExperienceCounts()
        self._generator = generator
        self._oracle = oracle
        self._table = np.full((*catalogue.shape, len(oracle.personas)), np.nan)

    @property
    def personas(self) -> tuple[str, ...]:
        """The panel's ids."""
        return tuple(persona.id for persona in self._oracle.personas)

    @property
    def traits(self) -> Floats:
        """(personas, 5) z-scores of the panel."""
        return np.array([persona.traits.vector() for persona in self._oracle.personas])

    def rewards(self, cells: Cells) -> Floats:
        """Look the cells up; draw and judge first what no one has seen or could judge before."""
        index = (*cells.pictures, cells.persona)
        found = self._table[index]
        self.counts.lookups += found.size
        unknown = np.isnan(found)
        if unknown.any():
            self._visit(np.stack([axis[unknown] for axis in cells.pictures], axis=1))
            found = self._table[index]
        answer: Floats = found
        return answer

    def record(self) -> RecordedExperience:
        """Visit every cell and keep the whole table."""
        catalogue = self.catalogue
        everything = np.stack(np.meshgrid(*map(np.arange, catalogue.shape), indexing="ij"), axis=-1)
        cells = everything.reshape(-1, 4)
        self._visit(cells[(cells[:, 2] > 0) | (cells[:, 3] == 0)])
        table = self._table.copy()
        table[:, :, 0] = table[:, :, 0, :1]
        return RecordedExperience(catalogue, self.personas, self.traits, table)

    def _visit(self, pictures: Indices) -> None:
        unique = np.unique(pictures, axis=0)
        for start in range(0, len(unique), BATCH):
            self._draw_and_judge(unique[start : start + BATCH])

    def _draw_and_judge(self, pictures: Indices) -> None:
        plans = [self.catalogue.plan(*(int(i) for i in picture)) for picture in pictures]
        prompts = [self.catalogue.prompts[prompt] for prompt in pictures[:, 0]]
        started = time.perf_counter()
        drawn = self._generator.run(plans)
        generated = time.perf_counter()
        rewards = self._oracle.opinions(drawn, prompts).rewards  # (pictures, personas)
        # An answer that fails later must not wipe out one that was given before.
        cells = tuple(pictures.T)
        self._table[cells] = np.where(np.isnan(rewards), self._table[cells], rewards)
        self.counts.misses += len(pictures)
        self.counts.generating_s += generated - started
        self.counts.judging_s += time.perf_counter() - generated


def profile(experience: Experience) -> Floats:
    """What the panel thinks of each prompt at its best and at its most shared.

    (prompts, seeds, 2) mean rewards without bit errors: drawn alone, and branched off at the last
    step. An operator knows them from the catalogue; the state holds them since rewards depend on
    them. Raises UnjudgedError where no persona answered.
    """
    prompts, seeds, steps, _ = experience.catalogue.shape
    axes = [np.arange(prompts), np.arange(seeds), np.array([0, steps - 1])]
    axes.append(np.arange(len(experience.personas)))
    prompt, seed, branch, persona = np.meshgrid(*axes, indexing="ij")
    cells = Cells(prompt, seed, branch, np.zeros_like(prompt), persona)
    rewards = experience.rewards(cells)
    unjudged = np.isnan(rewards).all(axis=-1)
    if unjudged.any():
        raise UnjudgedError(
            f"the oracle judged none of {int(unjudged.sum())} catalogue pictures; "
            "check that the QoE service is ready (GET /health/ready)"
        )
    known: Floats = np.nanmean(rewards, axis=-1)
    return known
