"""What each way of drawing a picture is worth to each persona: met once, remembered ever after.

A cell is (prompt, seed, branch step, error level); its picture is drawn by the generator and its
opinions, one a persona, come from the oracle. A failed opinion is NaN and is not remembered: the
next visit asks again.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
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

    def places(self, shape: tuple[int, ...]) -> Indices:
        """Where they stand in a flattened table of this shape (prompts, seeds, ..., personas).

        Who branches at 0 receives nothing over the air, so no error can reach the picture.
        """
        errors = np.where(self.branch == 0, 0, self.error_level)
        cells = (self.prompt, self.seed, self.branch, errors, self.persona)
        return np.ravel_multi_index(cells, shape)


class Experience(Protocol):
    """Turns cells into rewards. `traits` is (personas, 5), z-scores in the order of TRAITS."""

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def personas(self) -> tuple[str, ...]: ...

    @property
    def traits(self) -> Floats: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table: (prompts, seeds, branch steps, error levels, personas)."""
        ...

    def rewards(self, places: Indices) -> Floats:
        """Rewards in [0, 1] at these places of the flattened table; NaN where nobody could judge.

        `look_up` takes cells instead.
        """
        ...


def look_up(experience: Experience, cells: Cells) -> Floats:
    """Rewards in [0, 1] of the cells' shape; NaN where nobody could judge."""
    return experience.rewards(cells.places(experience.shape))


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

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table."""
        return self.table.shape

    def rewards(self, places: Indices) -> Floats:
        """Look the places up."""
        return self._flat.take(places)

    @cached_property
    def _flat(self) -> Floats:
        return np.ravel(self.table)

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


@dataclass(frozen=True)
class ExpectedExperience:
    """An experience in expectation: what cells are worth before anybody knows their seed.

    A seed stands for the first noise and for which bits flip. Whoever decides cannot know it, so
    decisions are compared, and optima found, by the mean reward over the catalogue's seeds. Those
    without an answer are left out of the mean.
    """

    experience: Experience

    @property
    def catalogue(self) -> Catalogue:
        """That of the experience."""
        return self.experience.catalogue

    @property
    def personas(self) -> tuple[str, ...]:
        """The panel's ids."""
        return self.experience.personas

    @property
    def traits(self) -> Floats:
        """(personas, 5) z-scores of the panel."""
        return self.experience.traits

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table; along the seeds it is constant."""
        return self.experience.shape

    def rewards(self, places: Indices) -> Floats:
        """The means over the seeds at these places, whichever seed they name."""
        _, seeds, *rest = self.shape
        apart = int(np.prod(rest))
        first = places - places // apart % seeds * apart
        each = self.experience.rewards(first[..., None] + apart * np.arange(seeds))
        answered = ~np.isnan(each)
        count = answered.sum(axis=-1)
        total = np.where(answered, each, 0.0).sum(axis=-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


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
        self._flat = self._table.reshape(-1)  # the same memory

    @property
    def personas(self) -> tuple[str, ...]:
        """The panel's ids."""
        return tuple(persona.id for persona in self._oracle.personas)

    @property
    def traits(self) -> Floats:
        """(personas, 5) z-scores of the panel."""
        return np.array([persona.traits.vector() for persona in self._oracle.personas])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table."""
        return self._table.shape

    def rewards(self, places: Indices) -> Floats:
        """Look the places up; draw and judge first what no one has seen or could judge before."""
        found = self._flat.take(places)
        self.counts.lookups += found.size
        unknown = np.isnan(found)
        if unknown.any():
            *pictures, _ = np.unravel_index(places[unknown], self.shape)
            self._visit(np.stack(pictures, axis=1))
            found = self._flat.take(places)
        return found

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
    """What the panel thinks of each prompt, by how many of its steps are shared and how it arrives.

    (prompts, branch steps, error levels) mean rewards over personas and seeds. An operator knows
    them from the catalogue; the state holds them since rewards depend on them. Raises
    UnjudgedError where no persona answered.
    """
    axes = np.meshgrid(*map(np.arange, experience.shape), indexing="ij")
    rewards = look_up(experience, Cells(*axes))
    unjudged = np.isnan(rewards).all(axis=(1, 4))
    if unjudged.any():
        raise UnjudgedError(
            f"the oracle judged none of the pictures of {int(unjudged.sum())} ways to draw a "
            "prompt; check that the QoE service is ready (GET /health/ready)"
        )
    known: Floats = np.nanmean(rewards, axis=(1, 4))
    return known
