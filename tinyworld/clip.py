"""tinyworld's CLIP: an open_clip model small enough for a laptop, trained on drawn scenes only.

It knows tinyworld and nothing else; whoever uses it as a judge must check that a picture and a
prompt are of this world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tinyworld.scenes import PICTURE_SIZE
from tinyworld.torchvision_operators import ensure_operators
from tinyworld.vocabulary import CONTEXT_LENGTH, build_tokenizer, token_ids, words_of_captions

WEIGHTS = Path(__file__).parent / "weights"
MODEL_NAME = "tinyworld-clip"
EMBEDDING_SIZE = 128
TEXT_WIDTH = 192
PIXEL_MEAN, PIXEL_SD = 0.45, 0.27
"""One mean and one SD for all three colour channels, of drawn scenes scaled to [0, 1]."""


@dataclass(frozen=True)
class TinyClip:
    """A CLIP with its tokenizer and its way of preparing pixels."""

    model: Any
    tokenizer: Tokenizer
    revision: str

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids (N, 24)."""
        return token_ids(self.tokenizer, texts)

    def pixels(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """Normalised pixels (N, 3, 64, 64) of uint8 pictures (N, 64, 64, 3)."""
        expected = (PICTURE_SIZE, PICTURE_SIZE, 3)
        if pictures.shape[1:] != expected:
            raise ValueError(f"pictures have shape {pictures.shape}; expected (N, *{expected})")
        channels_first = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
        return channels_first.float().div_(255).sub_(PIXEL_MEAN).div_(PIXEL_SD).contiguous()

    @torch.inference_mode()
    def embed_pictures(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """Unit vectors (N, 128) of pictures."""
        embedding: torch.Tensor = self.model.encode_image(self.pixels(pictures), normalize=True)
        return embedding

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (N, 128) of texts."""
        embedding: torch.Tensor = self.model.encode_text(self.tokenize(texts), normalize=True)
        return embedding

    @torch.inference_mode()
    def text_features(self, texts: Sequence[str]) -> torch.Tensor:
        """The text tower's features of every token, (N, 24, 192): what the U-ViT reads."""
        tokens = self.tokenize(texts)
        found = self.model.forward_intermediates(
            text=tokens, text_indices=1, normalize_intermediates=True, intermediates_only=True
        )
        features: torch.Tensor = found["text_intermediates"][-1]
        return features


def model_config(vocabulary_size: int) -> dict[str, Any]:
    """The open_clip model configuration."""
    return {
        "embed_dim": EMBEDDING_SIZE,
        "vision_cfg": {"image_size": PICTURE_SIZE, "layers": 4, "width": 192, "patch_size": 8},
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary_size,
            "width": TEXT_WIDTH,
            "heads": 3,
            "layers": 3,
        },
    }


def build_model(config: dict[str, Any], seed: int) -> Any:
    """An open_clip CLIP with random weights drawn from `seed`."""
    ensure_operators()
    from open_clip import CLIP

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CLIP(**config)


def create_clip(seed: int) -> TinyClip:
    """A CLIP of random weights: it runs like the shipped one and knows nothing."""
    tokenizer = build_tokenizer(words_of_captions())
    model = build_model(model_config(tokenizer.get_vocab_size()), seed)
    return TinyClip(model.eval().requires_grad_(False), tokenizer, revision=f"random-{seed}")


@cache
def load_clip() -> TinyClip:
    """The shipped CLIP, loaded through `open_clip.create_model`."""
    return load_clip_from(WEIGHTS / "clip.safetensors")


def load_clip_from(weights: Path) -> TinyClip:
    """A CLIP whose weights lie in this file, with its configuration and tokenizer beside it."""
    ensure_operators()
    import open_clip

    open_clip.add_model_config(weights.parent / f"{MODEL_NAME}.json")
    model = open_clip.create_model(MODEL_NAME, pretrained=str(weights))
    tokenizer = Tokenizer.from_file(str(weights.parent / "tokenizer.json"))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return TinyClip(model.eval().requires_grad_(False), tokenizer, revision=digest[:12])
