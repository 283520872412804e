"""The loop: plans become pictures, pictures become opinions, opinions become rewards.

A scenario asks an experience for rewards; the experience has the pictures drawn by the generator
and judged by the service, and remembers both. Nothing in between is a formula for quality.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.catalogue import Catalogue, catalogue_seen_by
from allocator.diffusion.generator import Diffusion, Generator
from allocator.diffusion.pictures import PictureStore
from allocator.experience import Cells, Experience, LiveExperience, RecordedExperience, look_up
from allocator.judge_budget.judge_calls import JudgeCalls
from allocator.judge_budget.panel import LivePanel, RecordedPanel
from allocator.judge_budget.sight import Sight, see
from allocator.oracle import Oracle
from allocator.training.loop_cost import LoopCost
from allocator.training.practice import Unlimited

if TYPE_CHECKING:
    from allocator.oracle import RewardService


class Loop:
    """A generator and a panel at work behind one experience."""

    def __init__(
        self,
        diffusion: Diffusion,
        catalogue: Catalogue,
        service: RewardService,
        pictures: Path | None = None,
    ) -> None:
        self.store = PictureStore(pictures)
        self.generator = Generator(diffusion, self.store)
        self.oracle = Oracle(service)
        self.experience = LiveExperience(catalogue, self.generator, self.oracle)

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

    def judged_by(self) -> tuple[str, ...]:
        """The service's judges, best first."""
        return tuple(f"{judge.tier}: {judge.judge}" for judge in self.oracle.service.judges())

    def practice(self, *, shown: int, seed: int, state: Mapping[str, Any]) -> Unlimited:
        """Whatever a run shows is judged."""
        del shown, seed, state
        return Unlimited(self.experience)

    def panel(self, calls: JudgeCalls) -> LivePanel:
        """The service's panel, to be asked question by question."""
        return LivePanel(self.experience.catalogue, self.generator, self.oracle.service, calls)

    def sight(self) -> Sight:
        """All pictures drawn and seen through tinyworld's CLIP."""
        from tinyworld.clip import load_clip

        return see(self.experience.catalogue, self.generator, load_clip())

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
        catalogue = catalogue_seen_by(diffusion)
        return Loop(diffusion, catalogue, QoEClient(self.url), self.pictures)


@dataclass(frozen=True)
class Recording:
    """A recorded experience in use: it costs nothing. `seen`: where its sight lies, or will."""

    experience: RecordedExperience
    seen: Path

    def cost(self) -> LoopCost:
        """Nothing."""
        return LoopCost()

    def judged_by(self) -> tuple[str, ...]:
        """Whoever judged then."""
        return ("recorded opinions",)

    def practice(self, *, shown: int, seed: int, state: Mapping[str, Any]) -> Unlimited:
        """Whatever a run shows was judged."""
        del shown, seed, state
        return Unlimited(self.experience)

    def panel(self, calls: JudgeCalls) -> RecordedPanel:
        """The panel of then, to be asked question by question."""
        return RecordedPanel(self.experience, calls)

    def sight(self) -> Sight:
        """Of its pictures; if nobody has looked yet they are drawn anew, which takes minutes."""
        if not self.seen.is_file():
            from tinyworld.clip import load_clip
            from tinyworld.diffusion import load_diffusion

            generator = Generator(load_diffusion(), PictureStore())
            see(self.experience.catalogue, generator, load_clip()).save(self.seen)
        return Sight.load(self.seen)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class RecordedSource:
    """Opinions recorded earlier by the loop: the shipped table, or a file of one's own."""

    path: Path | None = None

    def open(self) -> Recording:
        """Read the table."""
        from allocator.scenarios.data import shipped_experience, shipped_sight

        if self.path is None:
            return Recording(shipped_experience(), shipped_sight())
        return Recording(RecordedExperience.load(self.path), self.path.with_suffix(".sight.npz"))


def survey_size(catalogue: Catalogue) -> int:
    """How many pictures a catalogue has."""
    prompts, seeds, branches, levels = catalogue.shape
    return prompts * seeds * (1 + (branches - 1) * levels)


def survey_prompt(experience: Experience, prompt: int) -> int:
    """Have every picture of a prompt drawn and judged; how many they are.

    Training visits nearly all of them anyhow, and an optimum needs every one; in one sweep they
    come in large batches whose plans share their beginnings.
    """
    _, seeds, branches, levels = experience.catalogue.shape
    axes = np.meshgrid(range(seeds), range(branches), range(levels), indexing="ij")
    seed, branch, level = (axis.ravel() for axis in axes)
    possible = (branch > 0) | (level == 0)  # without a handoff there is no error to choose
    seed, branch, level = seed[possible], branch[possible], level[possible]
    nobody = np.zeros_like(seed)  # a visit asks the whole panel
    look_up(experience, Cells(nobody + prompt, seed, branch, level, nobody))
    return len(seed)
