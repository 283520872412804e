"""The generator: runs plans as a prefix tree, a level of the tree as one batch.

DDIM keeps no history, so a branch is exact: a plan that shares steps under its own prompt gives
the picture that it would give alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from allocator.diffusion.corruption import handed_over
from allocator.diffusion.pictures import Picture, PictureStore
from allocator.diffusion.prefix_tree import Node, prefix_tree
from allocator.plan import DenoisingPlan, PlanError

Element = TypeVar("Element")

UNCONDITIONAL = ""
"""The empty prompt, which no plan may name."""


class Diffusion(Protocol):
    """What the generator needs of a latent diffusion model (tinyworld's `LatentDiffusion`)."""

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent."""

    @property
    def revision(self) -> str:
        """Changes whenever the weights do."""

    @property
    def unconditional(self) -> torch.Tensor:
        """Text features (L, C) of the empty prompt."""

    def encode_text(self, prompts: Sequence[str]) -> torch.Tensor:
        """Text features (N, L, C)."""

    def velocity(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """The model's prediction for latents (N, C, H, W) at timesteps (N,)."""

    def decode(self, latents: torch.Tensor) -> NDArray[np.uint8]:
        """Pictures (N, H, W, 3)."""

    def scheduler(self) -> Any:
        """A fresh diffusers DDIMScheduler that fits the model's prediction."""


@dataclass(frozen=True)
class GenerationCounts:
    """What has been done so far, and what it would have been without sharing.

    pictures: drawn. stored: asked for again and served from the store, or asked for twice at once.
    denoising_steps_run: nodes of the prefix trees. denoising_steps_unshared: the steps that the
    same drawn pictures would have taken one by one.
    """

    pictures: int = 0
    stored: int = 0
    denoising_steps_run: int = 0
    denoising_steps_unshared: int = 0


class Generator:
    """Draws the pictures of plans with one diffusion model.

    model: the name by which plans call this model. largest_batch: how many latents run at once;
    with classifier-free guidance the model sees twice as many rows. More than the processor's
    caches hold take longer: 64 at once took 1.2 times as long as 16, for the same pictures.
    """

    def __init__(
        self,
        diffusion: Diffusion,
        store: PictureStore,
        *,
        model: str = "tinyworld",
        largest_batch: int = 16,
    ) -> None:
        if largest_batch < 1:
            raise ValueError(f"largest_batch must be 1 or more, got {largest_batch}")
        self.diffusion = diffusion
        self.store = store
        self.model = model
        self.largest_batch = largest_batch
        self.counts = GenerationCounts()
        self._schedulers: dict[int, Any] = {}

    def run(self, plans: Sequence[DenoisingPlan]) -> NDArray[np.uint8]:
        """Pictures (N, H, W, 3) of these plans, in order.

        Raises PlanError if a plan names another model, or a depth, which this model cannot vary.
        """
        for plan in plans:
            self._check(plan)
        if not plans:
            raise PlanError("there is nothing to draw: the sequence of plans is empty")
        wanted = {plan.key: plan for plan in plans}
        pictures = self._kept(wanted)
        missing = [plan for key, plan in wanted.items() if key not in pictures]
        for key, picture in self._draw(missing).items():
            pictures[key] = self.store.put(key, self.diffusion.revision, picture)
        self._count(stored=len(plans) - len(missing))
        return np.stack([pictures[plan.key] for plan in plans])

    def _kept(self, keys: Iterable[str]) -> dict[str, Picture]:
        found = ((key, self.store.get(key, self.diffusion.revision)) for key in keys)
        return {key: picture for key, picture in found if picture is not None}

    def _check(self, plan: DenoisingPlan) -> None:
        for segment in plan.segments:
            if segment.model != self.model:
                raise PlanError(f"model {segment.model!r} is not here, only {self.model!r} is")
            if segment.depth is not None:
                raise PlanError(f"this model runs all its blocks, got depth {segment.depth}")

    def _count(self, **more: int) -> None:
        values = {name: getattr(self.counts, name) + count for name, count in more.items()}
        self.counts = GenerationCounts(**{**vars(self.counts), **values})

    @torch.inference_mode()
    def _draw(self, plans: Sequence[DenoisingPlan]) -> dict[str, Picture]:
        if not plans:
            return {}
        tree = prefix_tree(plans)
        text = self._text_features(plans)
        finished: dict[str, torch.Tensor] = {}
        latents = torch.empty(0)
        for level in tree.levels:
            latents = self._advanced(level, self._arrived(level, latents, plans), text)
            for node, latent in zip(level, latents, strict=True):
                if node.is_last:
                    finished |= {plans[index].key: latent for index in node.plans}
        self._count(
            pictures=len(finished),
            denoising_steps_run=tree.steps,
            denoising_steps_unshared=tree.unshared_steps,
        )
        return dict(zip(finished, self._decoded(list(finished.values())), strict=True))

    def _text_features(self, plans: Sequence[DenoisingPlan]) -> dict[str, torch.Tensor]:
        prompts = list(dict.fromkeys(s.prompt for plan in plans for s in plan.segments))
        features = dict(zip(prompts, self.diffusion.encode_text(prompts), strict=True))
        return features | {UNCONDITIONAL: self.diffusion.unconditional}

    def _arrived(
        self, level: Sequence[Node], before: torch.Tensor, plans: Sequence[DenoisingPlan]
    ) -> torch.Tensor:
        """Each node's latent as its step finds it: (len(level), C, H, W)."""
        latents = []
        for node in level:
            latent = self._first_latent(node.seed) if node.parent is None else before[node.parent]
            if node.handoff is not None:
                key = plans[node.plans[0]].key
                latent = torch.from_numpy(handed_over(latent.numpy(), node.handoff, key=key))
            latents.append(latent)
        return torch.stack(latents)

    def _first_latent(self, seed: int) -> torch.Tensor:
        return torch.randn(
            self.diffusion.latent_shape, generator=torch.Generator().manual_seed(seed)
        )

    def _advanced(
        self, level: Sequence[Node], latents: torch.Tensor, text: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """The latents of a level after its denoising step."""
        after = []
        for nodes, batch in zip(
            _batches(level, self.largest_batch),
            torch.split(latents, self.largest_batch),
            strict=True,
        ):
            after.append(self._stepped(nodes, batch, self._guided_velocity(nodes, batch, text)))
        return torch.cat(after)

    def _stepped(
        self, nodes: Sequence[Node], latents: torch.Tensor, velocity: torch.Tensor
    ) -> torch.Tensor:
        """DDIM's step; plans of different lengths stand at different timesteps."""
        after = torch.empty_like(latents)
        totals = torch.tensor([node.total_steps for node in nodes])
        for total in sorted({node.total_steps for node in nodes}):
            rows = totals == total
            scheduler = self._scheduler(total)
            timestep = int(scheduler.timesteps[nodes[0].step])
            after[rows] = scheduler.step(
                velocity[rows], timestep, latents[rows], return_dict=False
            )[0]
        return after

    def _guided_velocity(
        self, nodes: Sequence[Node], latents: torch.Tensor, text: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Guided prediction in one forward: unconditional + g (conditional - unconditional)."""
        timesteps = torch.tensor([self._timestep(node) for node in nodes])
        conditions = torch.stack([text[node.segment.prompt] for node in nodes])
        guidance = torch.tensor([float(node.segment.guidance) for node in nodes])
        guided = guidance != 1.0  # at 1 the unconditional prediction cancels out
        nothing = text[UNCONDITIONAL].expand(int(guided.sum()), -1, -1)
        rows = self.diffusion.velocity(
            torch.cat([latents, latents[guided]]),
            torch.cat([timesteps, timesteps[guided]]),
            torch.cat([conditions, nothing]),
        )
        conditional, unconditional = rows[: len(nodes)].clone(), rows[len(nodes) :]
        scale = guidance[guided].view(-1, 1, 1, 1)
        conditional[guided] = unconditional + scale * (conditional[guided] - unconditional)
        return conditional

    def _timestep(self, node: Node) -> int:
        return int(self._scheduler(node.total_steps).timesteps[node.step])

    def _scheduler(self, total_steps: int) -> Any:
        if total_steps not in self._schedulers:
            scheduler = self.diffusion.scheduler()
            scheduler.set_timesteps(total_steps)
            self._schedulers[total_steps] = scheduler
        return self._schedulers[total_steps]

    def _decoded(self, latents: Sequence[torch.Tensor]) -> NDArray[np.uint8]:
        batches = _batches(latents, self.largest_batch)
        return np.concatenate([self.diffusion.decode(torch.stack(list(b))) for b in batches])


def _batches(elements: Sequence[Element], size: int) -> Iterator[Sequence[Element]]:
    for start in range(0, len(elements), size):
        yield elements[start : start + size]
