"""The plan: the one language in which every scenario says how a picture is to be drawn.

A picture is a path of denoising steps. A plan cuts that path into segments and says for each where
it runs, by which model, with which prompt and how deep; between two sites the latent is handed over
through the air. What runs is what was planned, and what it costs is counted from the same plan.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import SupportsIndex

HIGHEST_SEED = 2**63 - 1
DEFAULT_GUIDANCE = 4.0
SHARED_GUIDANCE = 2.0
"""What groups share their steps with: the less the public prompt is pressed, the longer can another
still decide. Published sharing gained most of its quality so, with 2 and then 8 [Q-rel]."""


class PlanError(ValueError):
    """A plan that cannot be run; the message names the value and the rule it breaks."""


def _require(kept: bool, value: object, rule: str) -> None:
    if not kept:
        raise PlanError(f"{rule}, got {value!r}")


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, SupportsIndex) and value.__index__() >= least


@dataclass(frozen=True)
class Segment:
    """A stretch of consecutive denoising steps that run alike.

    site: the kind of place, named as in the device profiles ("edge", "phone").
    model: the diffusion model's name. prompt: what the stretch is told to draw.
    steps: how many denoising steps, at least 1.
    guidance: classifier-free guidance scale; 1 uses the prompt's prediction as it is.
    depth: how many blocks of the model run; None runs them all.
    """

    site: str
    model: str
    prompt: str
    steps: int
    guidance: float = DEFAULT_GUIDANCE
    depth: int | None = None

    def __post_init__(self) -> None:
        _require(bool(self.site.strip()), self.site, "a segment's site must have a name")
        _require(bool(self.model.strip()), self.model, "a segment's model must have a name")
        _require(bool(self.prompt.strip()), self.prompt, "a segment's prompt must not be empty")
        _require(_is_count(self.steps, least=1), self.steps, "a segment needs 1 step or more")
        _require(
            math.isfinite(self.guidance) and self.guidance >= 0,
            self.guidance,
            "guidance must be a finite number, 0 or more",
        )
        _require(
            self.depth is None or _is_count(self.depth, least=1),
            self.depth,
            "depth must be None (all blocks) or 1 block or more",
        )

    @property
    def drawing(self) -> tuple[str, str, float, int | None]:
        """What the stretch does to the picture: everything but where and for how long."""
        depth = None if self.depth is None else int(self.depth)
        return self.model, self.prompt, float(self.guidance), depth


@dataclass(frozen=True)
class Handoff:
    """The latent crosses the air: each value becomes `quantiser_bits` bits, some of which flip.

    quantiser_bits: 1 to 16 bits a value. bit_error_rate: probability in [0, 0.5] that a bit flips.
    """

    quantiser_bits: int = 8
    bit_error_rate: float = 0.0

    def __post_init__(self) -> None:
        _require(
            _is_count(self.quantiser_bits, least=1) and self.quantiser_bits <= 16,
            self.quantiser_bits,
            "quantiser_bits must be between 1 and 16",
        )
        _require(
            0.0 <= self.bit_error_rate <= 0.5,
            self.bit_error_rate,
            "bit_error_rate must lie in [0, 0.5]",
        )


@dataclass(frozen=True)
class DenoisingPlan:
    """One picture: its first latent's seed, its segments, a handoff at each site change."""

    seed: int
    segments: tuple[Segment, ...]
    handoffs: tuple[Handoff, ...] = ()

    def __post_init__(self) -> None:
        _require(
            _is_count(self.seed, least=0) and self.seed <= HIGHEST_SEED,
            self.seed,
            f"a plan's seed must be an integer between 0 and {HIGHEST_SEED}",
        )
        _require(len(self.segments) > 0, self.segments, "a plan needs at least one segment")
        changes = sum(self._site_changes())
        _require(
            len(self.handoffs) == changes,
            self.handoffs,
            f"a plan needs one handoff for each site change, here {changes}"
            f" ({' -> '.join(segment.site for segment in self.segments)})",
        )

    def _site_changes(self) -> list[bool]:
        sites = [segment.site for segment in self.segments]
        return [before != after for before, after in pairwise(sites)]

    @property
    def total_steps(self) -> int:
        """How many denoising steps the picture takes; it sets the timesteps of the sampler."""
        return sum(int(segment.steps) for segment in self.segments)

    def stages(self) -> Iterator[tuple[Handoff | None, Segment]]:
        """The segments in order, each with the handoff that brings the latent to its site."""
        handoffs = iter(self.handoffs)
        changes = [False, *self._site_changes()]
        for moved, segment in zip(changes, self.segments, strict=True):
            yield (next(handoffs) if moved else None), segment

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of what decides the picture.

        Sites are left out and equal neighbours are joined: two plans that draw alike have one key,
        wherever their steps run.
        """
        canonical = json.dumps(
            {"seed": int(self.seed), "path": [list(stop) for stop in self._path()]},
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _path(self) -> Iterator[tuple[str | float | None, ...]]:
        """One entry a step and one a handoff, so that cutting a stretch changes nothing."""
        for handoff, segment in self.stages():
            if handoff is not None:
                yield int(handoff.quantiser_bits), float(handoff.bit_error_rate)
            yield from [segment.drawing] * int(segment.steps)


def shared_then_personal(
    *,
    seed: int,
    public_prompt: str,
    own_prompt: str,
    shared_steps: int,
    total_steps: int,
    handoff: Handoff,
    shared_guidance: float = DEFAULT_GUIDANCE,
    personal_guidance: float = DEFAULT_GUIDANCE,
    shared_site: str = "edge",
    personal_site: str = "phone",
    model: str = "tinyworld",
) -> DenoisingPlan:
    """The plan of one user in a group: the first steps with the group, the rest on their own.

    With 0 shared steps everything runs at the personal site; with all of them shared, nothing does
    and the handoff is not used: what is delivered is the finished picture.
    """
    _require(
        _is_count(shared_steps, least=0) and shared_steps <= total_steps,
        shared_steps,
        f"shared_steps must be between 0 and the total of {total_steps}",
    )
    shared = _stretch(shared_site, model, public_prompt, shared_steps, shared_guidance)
    personal_steps = total_steps - shared_steps
    personal = _stretch(personal_site, model, own_prompt, personal_steps, personal_guidance)
    crossed = shared and personal and shared_site != personal_site
    return DenoisingPlan(seed, shared + personal, (handoff,) if crossed else ())


def _stretch(
    site: str, model: str, prompt: str, steps: int, guidance: float
) -> tuple[Segment, ...]:
    return (Segment(site, model, prompt, steps, guidance),) if steps else ()
