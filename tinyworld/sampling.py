"""Pictures from prompts, plainly: DDIM with classifier-free guidance, every prompt by itself.

What shares steps, crosses a channel or counts its costs is the allocator's generator; this is
the yardstick it is held against, and what the model card is scored with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tinyworld.diffusion import LatentDiffusion

STEPS = 10
GUIDANCE = 4.0


def sample(
    diffusion: LatentDiffusion,
    prompts: Sequence[str],
    generator: torch.Generator,
    *,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> NDArray[np.uint8]:
    """Pictures (N, 64, 64, 3) for prompts; their noise is drawn from `generator`."""
    scheduler = diffusion.scheduler()
    scheduler.set_timesteps(steps)
    text = diffusion.encode_text(prompts)  # (N, L, C)
    both = torch.cat((text, diffusion.unconditional.expand_as(text)))
    latents = torch.randn((len(prompts), *diffusion.latent_shape), generator=generator)
    for timestep in scheduler.timesteps:
        times = timestep.repeat(len(both))
        told, untold = diffusion.velocity(latents.repeat(2, 1, 1, 1), times, both).chunk(2)
        velocity = untold + guidance * (told - untold)
        latents = scheduler.step(velocity, timestep, latents).prev_sample
    return diffusion.decode(latents)
