"""The CLIP models a judge can look through: pictures and texts into unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


RANDOM = "random"
"""The tag of random weights. It must be asked for: silence must never give meaningless scores."""


class Encoder(Protocol):
    """A CLIP. Thread-safe."""

    name: str
    revision: str
    vocabulary: str
    """Which phrases of `prompts/clip-phrases.yaml` it understands."""
    logit_scale: float
    """What cosines are multiplied by before a softmax over texts, as it was trained."""

    def prepare(self, picture: Picture) -> Pixels:
        """The picture at the model's own size, uint8 (side, side, 3)."""
        ...

    def pictures(self, stack: Pixels) -> Vectors:
        """Unit vectors (N, D) of prepared pictures (N, side, side, 3)."""
        ...

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (N, D) of texts."""
        ...

    def unreadable(self, text: str) -> str | None:
        """Why the model cannot understand a text, or `None` if it may."""
        ...

    def foreign(self, picture: Picture) -> str | None:
        """Why a picture cannot be of the model's world, or `None` if it may."""
        ...


def load_encoder(name: str, device: str) -> Encoder:
    """The encoder that `QOE_CLIP` names: `tinyworld`, or open_clip's `model/pretrained`.

    Raises:
        JudgeUnavailable: if its weights are not on this machine or it does not exist.
    """
    try:
        if name == "tinyworld":
            return _tinyworld(device)
        model, _, pretrained = name.rpartition("/")
        if not model:
            raise ValueError("name the weights too, as in 'ViT-B-32/laion2b_s34b_b79k'")
        return OpenClipEncoder(model, pretrained, device)
    except JudgeUnavailable:
        raise
    except Exception as error:  # open_clip raises RuntimeError, OSError and more
        raise JudgeUnavailable(
            f"CLIP {name!r} could not be loaded ({str(error)[:200]}); "
            f"`qoe models pull {name}` fetches it"
        ) from error


def _tinyworld(device: str) -> Encoder:
    from tinyworld.clip import WEIGHTS, load_clip

    if not (WEIGHTS / "clip.safetensors").is_file():
        raise JudgeUnavailable(
            "tinyworld's CLIP has no weights here; `python -m tinyworld.train_clip` makes them"
        )
    return TinyworldEncoder(load_clip(), device)


class TinyworldEncoder:
    """tinyworld's CLIP. It knows the words of its captions and nothing else."""

    name = "tinyworld-clip"
    vocabulary = "tinyworld"

    def __init__(self, clip: Any, device: str = "cpu") -> None:
        from tinyworld.scenes import PICTURE_SIZE
        from tinyworld.vocabulary import CONTEXT_LENGTH

        self._clip = clip
        self._device = torch.device(device)
        self._clip.model.to(self._device)
        self._side = PICTURE_SIZE
        self._most_words = CONTEXT_LENGTH - 2
        self.revision: str = clip.revision
        self.logit_scale = float(clip.model.logit_scale.detach().exp())

    def prepare(self, picture: Picture) -> Pixels:
        if self.foreign(picture) is None:
            return picture.pixels
        return _centre_square(picture.pixels, self._side)

    @torch.inference_mode()
    def pictures(self, stack: Pixels) -> Vectors:
        pixels = self._clip.pixels(stack).to(self._device)
        return _array(self._clip.model.encode_image(pixels, normalize=True))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Vectors:
        tokens = self._clip.tokenize(texts).to(self._device)
        return _array(self._clip.model.encode_text(tokens, normalize=True))

    def unreadable(self, text: str) -> str | None:
        from tinyworld.vocabulary import unknown_words

        unknown = [word for word in unknown_words(self._clip.tokenizer, text) if word.isalnum()]
        if unknown:
            return f"tinyworld's CLIP does not know the words {', '.join(unknown[:5])!r}"
        if len(text.split()) > self._most_words:
            return f"tinyworld's CLIP reads at most {self._most_words} words"
        return None

    def foreign(self, picture: Picture) -> str | None:
        # Size is the one sure sign: its embeddings of photographs lie well among those of drawings.
        if picture.pixels.shape == (self._side, self._side, 3):
            return None
        return (
            f"tinyworld's CLIP knows pictures of {self._side}x{self._side} pixels only, "
            f"this one has {picture.width}x{picture.height}"
        )


class OpenClipEncoder:
    """Any model of open_clip; the tag `random` gives random weights from seed 0, for benchmarks."""

    vocabulary = "general"

    def __init__(self, model: str, pretrained: str, device: str = "cpu") -> None:
        from tinyworld.torchvision_operators import ensure_operators

        ensure_operators()
        import open_clip

        self.name = model
        self.revision = "random-0" if pretrained == RANDOM else pretrained
        self._device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._model, _, transform = open_clip.create_model_and_transforms(
                model, pretrained=None if pretrained == RANDOM else pretrained, device=self._device
            )
        self._model.eval().requires_grad_(False)
        self.logit_scale = float(self._model.logit_scale.exp())
        self._tokenize = open_clip.get_tokenizer(model)
        *self._geometry, _, normalisation = transform.transforms
        self._mean = torch.tensor(normalisation.mean, device=self._device).view(1, 3, 1, 1)
        self._sd = torch.tensor(normalisation.std, device=self._device).view(1, 3, 1, 1)

    def prepare(self, picture: Picture) -> Pixels:
        image = Image.fromarray(picture.pixels)
        for step in self._geometry:  # open_clip's own resizing and cropping
            image = step(image)
        return np.asarray(image)

    @torch.inference_mode()
    def pictures(self, stack: Pixels) -> Vectors:
        pixels = torch.from_numpy(stack).to(self._device).permute(0, 3, 1, 2).float()
        pixels = pixels.div_(255).sub_(self._mean).div_(self._sd)
        return _array(self._model.encode_image(pixels.contiguous(), normalize=True))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Vectors:
        tokens = self._tokenize(list(texts)).to(self._device)
        return _array(self._model.encode_text(tokens, normalize=True))

    def unreadable(self, text: str) -> str | None:
        del text
        return None

    def foreign(self, picture: Picture) -> str | None:
        del picture
        return None


def _centre_square(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = Image.fromarray(pixels[top : top + edge, left : left + edge])
    return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS))


def _array(vectors: torch.Tensor) -> Vectors:
    """Vectors in main memory, rounded to half precision.

    A matrix product's last bits depend on what else was in the batch; a score must not.
    """
    return vectors.half().float().cpu().numpy()
