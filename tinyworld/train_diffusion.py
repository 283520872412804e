"""Train tinyworld's U-ViT: `python -m tinyworld.train_diffusion`.

Needs the CLIP (whose text tower it reads) and the autoencoder. A run that was stopped goes on
where it was; a resumed run with more `--steps` trains on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tinyworld.autoencoder import Autoencoder
from tinyworld.captions import plain_caption
from tinyworld.card import write_card
from tinyworld.clip import TEXT_WIDTH, WEIGHTS, load_clip, load_clip_from
from tinyworld.dataset import training_set
from tinyworld.diffusion import load_diffusion, training_schedule
from tinyworld.precision import fast_products
from tinyworld.sampling import GUIDANCE, STEPS, sample
from tinyworld.scenes import sample_scenes
from tinyworld.train_autoencoder import signed_pixels
from tinyworld.train_clip import PICTURES
from tinyworld.training import Run, Schedule, muon_and_adamw, train
from tinyworld.uvit import UViT
from tinyworld.weight_files import load_weights, save_weights
from tinyworld.zero_shot import agreement, read_factors

BATCH = 64
UNTOLD_SHARE = 0.1
"""How often the caption is withheld, which is what classifier-free guidance needs."""

SCORED_PICTURES = 1_000


def main() -> None:
    arguments = _arguments()
    torch.manual_seed(arguments.seed)
    model = UViT(TEXT_WIDTH)
    clip = load_clip()
    data = training_set(PICTURES, seed=0, folder=arguments.folder)
    latents = _latents(data.pictures)
    noising = training_schedule()

    def loss_of_step(rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        rows = rng.choice(len(latents), BATCH, replace=False)
        captions = data.captions(rows, rng)
        untold = rng.random(BATCH) < UNTOLD_SHARE
        told = ["" if silent else words for words, silent in zip(captions, untold, strict=True)]
        clean = latents[torch.from_numpy(rows)]
        noise = torch.randn(clean.shape, generator=generator)
        times = _stratified_timesteps(generator)
        noisy = noising.add_noise(clean, noise, times)
        with fast_products():
            features = clip.text_features(told).clone()
            predicted = model(noisy, times, features)
        error = predicted.float() - noising.get_velocity(clean, noise, times)
        loss: torch.Tensor = error.square().mean()
        return loss

    optimisers = muon_and_adamw(
        model, model.block_matrices(), peak_learning_rate=8e-4, weight_decay=0.01
    )
    schedule = Schedule(arguments.steps, warm_up_steps=300)
    run = Run("uvit", arguments.folder, arguments.seed, schedule, averaging=0.999)
    trained = train(model, optimisers, loss_of_step, run)
    save_weights(WEIGHTS / "uvit.safetensors", trained.state_dict())
    _write_card(arguments.steps, arguments.seed)


def _stratified_timesteps(generator: torch.Generator) -> torch.Tensor:
    """One timestep from each of as many equal stretches as the batch is long: less noise."""
    offsets = torch.rand(BATCH, generator=generator)
    return ((torch.arange(BATCH) + offsets) / BATCH * 1000).long()


@torch.no_grad()
def _latents(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Latents (N, 8, 16, 16) of all pictures."""
    autoencoder = Autoencoder().eval()
    autoencoder.load_state_dict(load_weights(WEIGHTS / "autoencoder.safetensors"))
    batches = np.array_split(pictures, max(1, len(pictures) // 500))
    with fast_products():
        encoded = [autoencoder.encode(signed_pixels(batch)).float() for batch in batches]
    return torch.cat(encoded)


def _write_card(steps: int, seed: int) -> None:
    """Score generated pictures of combinations that training never saw, with every CLIP there is.

    The CLIP whose text tower the U-ViT reads could be partial to it; a witness CLIP is not.
    """
    rng = np.random.default_rng([seed, 3])
    scenes = sample_scenes(SCORED_PICTURES, rng, held_out=True)
    diffusion = load_diffusion()
    generator = torch.Generator().manual_seed(seed)
    prompts = [plain_caption(scene) for scene in scenes]
    pictures = np.concatenate(
        [
            sample(diffusion, prompts[start : start + 100], generator)
            for start in range(0, SCORED_PICTURES, 100)
        ]
    )
    clips = [load_clip_from(file) for file in sorted(WEIGHTS.glob("clip*.safetensors"))]
    readings = [agreement(read_factors(clip, pictures), scenes) for clip in clips]
    write_card(
        WEIGHTS / "uvit.md",
        title="tinyworld's U-ViT",
        command=f"python -m tinyworld.train_diffusion --seed {seed} --steps {steps}",
        facts={
            "model revision (CLIP, autoencoder, U-ViT and sampling schedule)": diffusion.revision,
            "training pictures": f"{PICTURES:,} drawn with seed 0, captions worded anew each step",
            "steps": f"{steps:,} of {BATCH} latents, averaged with decay 0.999",
            "sampled with": f"{STEPS} DDIM steps, guidance {GUIDANCE}",
        },
        scores_title=(
            f"factors read as prompted on {SCORED_PICTURES:,} generated pictures of held-out "
            f"combinations, by each CLIP: revisions {', '.join(clip.revision for clip in clips)}"
        ),
        scores={
            factor: ", ".join(f"{reading[factor]:.1%}" for reading in readings)
            for factor in readings[0]
        },
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--folder", type=Path, default=Path("runs/tinyworld"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
