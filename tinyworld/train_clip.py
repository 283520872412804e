"""Train tinyworld's CLIP: `python -m tinyworld.train_clip`.

A run that was stopped goes on where it was. The result is written into `tinyworld/weights/` with
its card; `--seed` other than 0 writes the witness, a second CLIP that never judges and only
confirms the figures of the first.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tinyworld.card import share_of, write_card
from tinyworld.clip import (
    MODEL_NAME,
    WEIGHTS,
    TinyClip,
    build_model,
    load_clip_from,
    model_config,
)
from tinyworld.contrasts import ContrastPairs
from tinyworld.dataset import held_out_set, training_set
from tinyworld.factor_heads import TaughtClip
from tinyworld.precision import fast_products
from tinyworld.training import Run, Schedule, adamw, train
from tinyworld.vocabulary import build_tokenizer, words_of_captions
from tinyworld.weight_files import save_weights
from tinyworld.zero_shot import factor_accuracies

PICTURES = 40_000
BATCH = 128
HELD_OUT_PICTURES = 10_000
MAXIMAL_LOGIT_SCALE = 4.6052  # log(100), as in the CLIP paper


def main() -> None:
    arguments = _arguments()
    tokenizer = build_tokenizer(words_of_captions())
    config = model_config(tokenizer.get_vocab_size())
    torch.manual_seed(arguments.seed)
    model = build_model(config, arguments.seed)
    taught = TaughtClip(model)
    clip = TinyClip(model, tokenizer, revision="in training")
    data = training_set(PICTURES, seed=0, folder=arguments.folder)

    pairs = ContrastPairs(data.scenes)

    def loss_of_step(rng: np.random.Generator, generator: torch.Generator) -> torch.Tensor:
        del generator
        rows = pairs.rows(BATCH, rng)
        pictures = _augmented(clip.pixels(data.pictures[rows]), rng)
        texts = clip.tokenize(data.captions(rows, rng))
        # torch's fused attention is slower backwards on a CPU than plain matrix products.
        with fast_products(), sdpa_kernel(SDPBackend.MATH):
            seen = model.encode_image(pictures, normalize=True)
            read = model.encode_text(texts, normalize=True)
        with torch.no_grad():
            model.logit_scale.clamp_(max=MAXIMAL_LOGIT_SCALE)
        seen, read = seen.float(), read.float()
        scenes = [data.scenes[row] for row in rows]
        factor_loss: torch.Tensor = taught.heads(seen, scenes) + taught.heads(read, scenes)
        return _contrastive_loss(seen, read, model.logit_scale) + factor_loss

    optimiser = adamw(taught.parameters(), peak_learning_rate=1e-3, weight_decay=0.1)
    run = Run("clip", arguments.folder, arguments.seed, Schedule(arguments.steps))
    trained = train(taught, [optimiser], loss_of_step, run)
    assert isinstance(trained, TaughtClip)
    name = "clip" if arguments.seed == 0 else "clip_witness"
    save_weights(WEIGHTS / f"{name}.safetensors", trained.clip.state_dict())
    (WEIGHTS / f"{MODEL_NAME}.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save(str(WEIGHTS / "tokenizer.json"))
    shipped = load_clip_from(WEIGHTS / f"{name}.safetensors")
    scores = factor_accuracies(shipped, held_out_set(HELD_OUT_PICTURES, seed=0))
    write_card(
        WEIGHTS / f"{name}.md",
        title="tinyworld's CLIP" + ("" if name == "clip" else ", the witness"),
        command=f"python -m tinyworld.train_clip --seed {arguments.seed} --steps {arguments.steps}",
        facts={
            "revision": shipped.revision,
            "training pictures": f"{PICTURES:,} drawn with seed 0, captions worded anew each step",
            "steps": f"{arguments.steps:,} of {BATCH} pairs",
        },
        scores_title=(
            f"zero-shot accuracy, with 95 % intervals, on {HELD_OUT_PICTURES:,} pictures of "
            "held-out combinations, seed 0"
        ),
        scores={factor: share_of(share, HELD_OUT_PICTURES) for factor, share in scores.items()},
    )


def _contrastive_loss(
    seen: torch.Tensor, read: torch.Tensor, logit_scale: torch.Tensor
) -> torch.Tensor:
    logits = logit_scale.exp() * seen @ read.T  # (N, N)
    own = torch.arange(len(logits))
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def _augmented(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Shift by up to two pixels and add noise, so that generated pictures are judged as well."""
    down, across = rng.integers(-2, 3, size=2)
    shifted = torch.roll(pixels, (int(down), int(across)), dims=(2, 3))
    noise = torch.from_numpy(rng.standard_normal(shifted.shape, dtype=np.float32))
    return shifted + noise * float(rng.uniform(0, 0.15))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--folder", type=Path, default=Path("runs/tinyworld"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
