"""The loop: plans become pictures, pictures become opinions, opinions become rewards.

A scenario asks an experience for rewards; the experience has the pictures drawn by the generator
and judged by the service, and remembers both. Nothing in between is a formula for quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from allocator.catalogue import Embed, compose_catalogue
from allocator.diffusion.generator import Diffusion, Generator
from allocator.diffusion.pictures import PictureStore
from allocator.experience import Cells, Experience, LiveExperience, RecordedExperience
from allocator.oracle import Oracle
from allocator.training import LoopCost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allocator.oracle import RewardService


class Loop:
    """A generator and a panel at work behind one experience."""

    def __init__(
        self, diffusion: Diffusion, embed: Embed, service: RewardService, pictures: Path | None
    ) -> None:
        self.store = PictureStore(pictures)
        self.generator = Generator(diffusion, self.store)
        self.oracle = Oracle(service)
        self.experience = LiveExperience(compose_catalogue(embed), self.generator, self.oracle)

    def cost(self) -> LoopCost:
        """What the loop has cost so far."""
        asked, drawn, looked = self.oracle.counts, self.generator.counts, self.experience.counts
        return LoopCost(
            requests=asked.requests,
            judgments=asked.judgments,
            cached=asked.cached,
            failed=asked.failed,
            pictures=drawn.pictures,
            denoising_steps_run=drawn.denoising_steps_run,
            denoising_steps_unshared=drawn.denoising_steps_unshared,
            generating_s=looked.generating_s,
            judging_s=looked.judging_s,
        )

    def close(self) -> None:
        """Close the store."""
        self.store.close()


@dataclass(frozen=True)
class ServiceSource:
    """The loop with tinyworld's diffusion model and a running service at `url`.

    pictures: a folder of drawn pictures that processes share.
    """

    url: str
    pictures: Path

    def open(self) -> Loop:
        """Load the model and connect."""
        from qoe_service.client import QoEClient
        from tinyworld.diffusion import load_diffusion

        diffusion = load_diffusion()
        return Loop(diffusion, embedding(diffusion), QoEClient(self.url), self.pictures)


@dataclass(frozen=True)
class Recording:
    """A recorded experience in use: it costs nothing."""

    experience: RecordedExperience

    def cost(self) -> LoopCost:
        """Nothing."""
        return LoopCost()

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class RecordedSource:
    """Opinions recorded earlier by the loop: the shipped table, or a file of one's own."""

    path: Path | None = None

    def open(self) -> Recording:
        """Read the table."""
        from allocator.scenarios.data import shipped_experience

        if self.path is None:
            return Recording(shipped_experience())
        return Recording(RecordedExperience.load(self.path))


def embedding(diffusion: Diffusion) -> Embed:
    """Sentence vectors by the text encoder of the model that draws."""
    return lambda prompts: diffusion.embed_text(prompts).double().numpy()  # type: ignore[attr-defined]


def survey_size(experience: Experience) -> int:
    """How many pictures the catalogue has."""
    prompts, seeds, branches, levels = experience.catalogue.shape
    return prompts * seeds * (1 + (branches - 1) * levels)


def survey(experience: Experience) -> Iterator[int]:
    """Have every picture of the catalogue drawn and judged; yields how many at a time.

    Training visits nearly all of them anyhow, and an optimum needs every one; in one sweep they
    come in large batches whose plans share their beginnings.
    """
    prompts, seeds, branches, levels = experience.catalogue.shape
    grid = np.stack(np.meshgrid(range(branches), range(levels), indexing="ij"), -1).reshape(-1, 2)
    branch, level = grid[(grid[:, 0] > 0) | (grid[:, 1] == 0)].T
    for prompt in range(prompts):
        for seed in range(seeds):
            same = np.zeros_like(branch)
            experience.rewards(Cells(same + prompt, same + seed, branch, level, same))
            yield len(branch)
