"""What can be asked for: topics of prompts, seeds, and the quantised ways to share their steps.

The catalogue is quantised on purpose. An allocator that learns meets the same (prompt, seed,
branch step, bit-error level) again and again, so the first visit costs a picture and a panel's
opinion, and every later one is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from allocator.arrays import Floats, Indices
from allocator.diffusion.grouping import medoid
from allocator.plan import SHARED_GUIDANCE, DenoisingPlan, Handoff, Segment
from tinyworld.captions import plain_caption
from tinyworld.scenes import Scene

if TYPE_CHECKING:
    from tinyworld.diffusion import LatentDiffusion

DENOISING_STEPS = 10
SEEDS = (7, 41, 107, 211)
"""Of the first noise and of which bits flip: what nobody knows when steps and power are chosen."""

ERROR_LEVELS = (0.0, 0.1, 0.25, 0.5)
"""Bit-error rates that are really drawn; a link's rate is rounded to the nearest of them.

Up to a tenth the remaining steps repair nearly everything. The last, one half, is a latent of pure
chance: a link that fails is never flattered."""

EDGE, PHONE, MODEL = "edge", "phone", "tinyworld"
QUANTISER_BITS = 8

Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Topic:
    """What one group talks about: the scenes its members may ask for."""

    name: str
    scenes: tuple[Scene, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        """One prompt a scene."""
        return tuple(plain_caption(scene) for scene in self.scenes)


def _park_by_day(*subjects: str) -> Scene:
    return Scene("park", "day", subjects, "walks", "photo", "tidy")


TOPICS = (
    Topic(
        "walks in the park",
        (
            _park_by_day("dog"),
            _park_by_day("man", "dog"),
            _park_by_day("woman", "dog"),
            _park_by_day("cat"),
        ),
    ),
    Topic(
        "evenings at the sea",
        (
            Scene("beach", "sunset", ("woman",), "sits", "watercolour", "tidy"),
            Scene("beach", "sunset", ("man",), "sits", "watercolour", "tidy"),
            Scene("beach", "sunset", ("man", "woman"), "sits", "watercolour", "tidy"),
            Scene("beach", "sunset", ("woman",), "stands", "watercolour", "tidy"),
        ),
    ),
    Topic(
        "the street at night",
        (
            Scene("street", "night", ("man",), "walks", "photo", "cluttered"),
            Scene("street", "night", ("woman",), "walks", "photo", "cluttered"),
            Scene("street", "night", ("cat",), "walks", "photo", "cluttered"),
            Scene("street", "night", ("man", "cat"), "walks", "photo", "cluttered"),
        ),
    ),
    Topic(
        "a home in cartoons",
        (
            Scene("room", "day", ("cat",), "sits", "cartoon", "tidy"),
            Scene("room", "day", ("dog",), "sits", "cartoon", "tidy"),
            Scene("room", "day", ("dog", "cat"), "sits", "cartoon", "tidy"),
            Scene("room", "day", ("cat",), "sits", "cartoon", "cluttered"),
        ),
    ),
    Topic(
        "postcards from anywhere",
        (
            Scene("mountain", "day", (), None, "photo", "tidy"),
            Scene("beach", "sunset", (), None, "watercolour", "tidy"),
            Scene("street", "night", (), None, "photo", "cluttered"),
            Scene("park", "day", (), None, "sketch", "tidy"),
        ),
    ),
    Topic(
        "pets, each in its own way",
        (
            Scene("room", "night", ("cat",), "sits", "sketch", "cluttered"),
            Scene("beach", "day", ("dog",), "walks", "photo", "tidy"),
            Scene("mountain", "sunset", ("bird",), "flies", "watercolour", "tidy"),
            Scene("street", "day", ("dog", "cat"), "stands", "cartoon", "cluttered"),
        ),
    ),
    Topic(
        "people and their moods",
        (
            Scene("street", "night", ("man",), "walks", "photo", "cluttered"),
            Scene("beach", "day", ("woman",), "stands", "cartoon", "tidy"),
            Scene("room", "sunset", ("man", "woman"), "sits", "watercolour", "tidy"),
            Scene("mountain", "day", ("woman", "dog"), "walks", "photo", "tidy"),
        ),
    ),
    Topic(
        "a wall to be painted",
        (
            Scene("street", "day", (), None, "mural", "tidy"),
            Scene("beach", "night", ("bird",), "flies", "mural", "tidy"),
            Scene("room", "sunset", ("cat",), "sits", "mural", "cluttered"),
            Scene("park", "night", ("man",), "stands", "cartoon", "cluttered"),
        ),
    ),
)
"""Four topics whose members are alike, then four whose members have little in common."""


@dataclass(frozen=True)
class Catalogue:
    """Prompts by topic with each topic's public prompt, and the quantised ways to draw them.

    prompts: all prompts, topic after topic. members: (topics, members) indices into `prompts`.
    public: (topics,) index of each topic's public prompt. similarity: (prompts,) cosine of each
    prompt with its topic's public prompt. Steps left to the phone are `total_steps - branch`,
    at least one.
    """

    prompts: tuple[str, ...]
    members: Indices
    public: Indices
    similarity: Floats
    seeds: tuple[int, ...] = SEEDS
    total_steps: int = DENOISING_STEPS
    error_levels: tuple[float, ...] = ERROR_LEVELS

    @cached_property
    def public_of(self) -> Indices:
        """(prompts,) index of the public prompt of the topic each prompt belongs to."""
        return np.repeat(self.public, self.members.shape[1])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """How many prompts, seeds, branch steps and error levels there are."""
        return len(self.prompts), len(self.seeds), self.total_steps, len(self.error_levels)

    def error_level(self, bit_error_rate: ArrayLike) -> Indices:
        """The index of the nearest error level, elementwise."""
        return np.searchsorted(self.level_edges, np.asarray(bit_error_rate), side="left")

    @cached_property
    def level_edges(self) -> Floats:
        """(levels - 1,) the bit error rates beyond which the next error level is the nearer one."""
        levels = np.array(self.error_levels, dtype=np.float64)
        edges: Floats = (levels[1:] + levels[:-1]) / 2
        return edges

    def plan(self, prompt: int, seed: int, branch: int, error_level: int) -> DenoisingPlan:
        """How one picture is drawn: `branch` steps at the edge, the rest on the user's phone.

        A user who branches at 0 starts from the seed's own noise; nothing crosses the air.
        """
        own = Segment(PHONE, MODEL, self.prompts[prompt], self.total_steps - branch)
        if branch == 0:
            return DenoisingPlan(self.seeds[seed], (own,))
        shared = Segment(EDGE, MODEL, self.prompts[self.public_of[prompt]], branch, SHARED_GUIDANCE)
        handoff = Handoff(QUANTISER_BITS, self.error_levels[error_level])
        return DenoisingPlan(self.seeds[seed], (shared, own), (handoff,))


def catalogue_seen_by(diffusion: LatentDiffusion) -> Catalogue:
    """The default catalogue, prompts being as similar as the model that draws them finds them."""
    return compose_catalogue(lambda prompts: diffusion.embed_text(prompts).numpy())


def compose_catalogue(
    embed: Embed,
    *,
    topics: Sequence[Topic] = TOPICS,
    seeds: Sequence[int] = SEEDS,
    total_steps: int = DENOISING_STEPS,
    error_levels: Sequence[float] = ERROR_LEVELS,
) -> Catalogue:
    """A catalogue whose public prompts are the medoids of their topics under `embed`.

    embed: prompts -> (N, D) unit vectors, such as the diffusion model's own text encoder, so
    that "similar" means similar to the model that draws. Topics must be of one size.
    """
    sizes = {len(topic.scenes) for topic in topics}
    if len(sizes) != 1:
        raise ValueError(f"topics must all have the same number of prompts, got sizes {sizes}")
    prompts = tuple(prompt for topic in topics for prompt in topic.prompts)
    members = np.arange(len(prompts)).reshape(len(topics), -1)
    vectors = np.asarray(embed(prompts), dtype=np.float64)
    public = np.array([medoid(vectors, [int(i) for i in topic]) for topic in members])
    spoken = vectors[np.repeat(public, members.shape[1])]  # (prompts, D)
    return Catalogue(
        prompts=prompts,
        members=members,
        public=public,
        similarity=np.minimum((vectors * spoken).sum(axis=1), 1.0),
        seeds=tuple(seeds),
        total_steps=total_steps,
        error_levels=tuple(error_levels),
    )


def word_embedding(prompts: Sequence[str]) -> Floats:
    """Unit vectors of word counts: a text encoder that needs no model, for scenario tests."""
    words = sorted({word for prompt in prompts for word in prompt.split()})
    counts = np.array([[prompt.split().count(word) for word in words] for prompt in prompts])
    vectors: Floats = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return vectors
