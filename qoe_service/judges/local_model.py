"""An image-text-to-text model of transformers on this machine, read where its answer begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges.chat_form import ChatForm
from qoe_service.judges.level_tokens import level_tokens
from qoe_service.judges.local_files import model_folder, revision_of
from qoe_service.provider import Question

HERE: Any = {"local_files_only": True, "trust_remote_code": False}
"""Neither weights nor programs come from elsewhere."""


def load_local_model(name: str, device: str) -> LocalModel:
    """The model of a folder, or of the hub's cache on this machine.

    Raises:
        JudgeUnavailable: if it is not here, is no such model, or does not fit on the device.
    """
    folder = model_folder(name)
    is_path = Path(name).expanduser() == folder
    try:
        return LocalModel(folder, device, name=folder.resolve().name if is_path else name)
    except JudgeUnavailable:
        raise
    except Exception as error:  # configurations, weights and devices are wrong in many ways
        reason = f"the model {name!r} could not be loaded: {str(error)[:300]}"
        raise JudgeUnavailable(reason) from error


class LocalModel:
    """Asked many questions at a time. For one thread at a time.

    Weights are bfloat16 on a GPU and float32 on a CPU. On a CPU an answer does not depend on its
    company in a batch but for the last bits; bfloat16 has fewer of them.
    """

    def __init__(self, folder: Path, device: str, *, name: str) -> None:
        self.name, self.revision = name, revision_of(folder)
        self._device = torch.device(device)
        self._dtype = torch.float32 if self._device.type == "cpu" else torch.bfloat16
        self._processor = _processor(folder)
        tokens = level_tokens(self._processor.tokenizer)
        self.levels, self._places = tokens.levels, tokens.places
        self._chat = ChatForm(self._processor)
        self._model: Any = _model(folder, self._dtype).to(self._device).eval()
        # Generation knows how each model counts the places in padded rows; one step of it is one
        # forward. What the model's files say of decoding is not wanted here.
        self._model.generation_config = _one_step(self._processor.tokenizer.pad_token_id)
        text = self._model.config.get_text_config()
        self._most_tokens: int | None = getattr(text, "max_position_embeddings", None)

    @property
    def precision(self) -> str:
        """The type of its weights."""
        return str(self._dtype).removeprefix("torch.")

    @torch.inference_mode()
    def probabilities(self, asked: Sequence[tuple[Question, Image.Image]]) -> NDArray[np.float64]:
        """How probable each level (N, 5) is as the beginning of the answer.

        Raises:
            ValueError: if a question is longer than what the model can read.
        """
        inputs = self._inputs(asked)
        self._check(inputs["attention_mask"])
        logits = self._model.generate(**inputs.to(self._device, self._dtype)).logits[0]
        shares = logits.double().softmax(-1)
        of_levels = [shares[:, list(places)].sum(-1) for places in self._places]
        table: NDArray[np.float64] = torch.stack(of_levels, dim=-1).cpu().numpy()
        return table

    def close(self) -> None:
        """Give the memory back. Safe to call twice."""
        self._model = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _inputs(self, asked: Sequence[tuple[Question, Image.Image]]) -> Any:
        texts = [self._chat.written(question) for question, _ in asked]
        begin = self._processor.tokenizer.bos_token
        return self._processor(
            images=[[image] for _, image in asked],
            text=texts,
            padding=True,
            padding_side="left",
            add_special_tokens=not (begin and texts[0].startswith(begin)),
            return_tensors="pt",
        )

    def _check(self, attention_mask: torch.Tensor) -> None:
        if not attention_mask[:, -1].all():
            raise ValueError("the model's processor does not let all answers begin in one column")
        longest = int(attention_mask.sum(-1).max())
        if self._most_tokens is not None and longest > self._most_tokens:
            raise ValueError(
                f"question and picture are {longest} tokens, the model reads {self._most_tokens}"
            )


def _processor(folder: Path) -> Any:
    from tinyworld.torchvision_operators import ensure_operators

    ensure_operators()
    from transformers import AutoProcessor

    processor: Any = AutoProcessor.from_pretrained(folder, **HERE)
    if not (hasattr(processor, "tokenizer") and hasattr(processor, "image_processor")):
        raise JudgeUnavailable("the model's processor does not take both pictures and texts")
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _model(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForImageTextToText

    loaded: Any = AutoModelForImageTextToText.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **HERE
    )
    model, report = loaded
    _check_complete(report)
    return model


def _one_step(pad_token_id: int) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=1,
        do_sample=False,
        use_cache=False,
        output_logits=True,
        return_dict_in_generate=True,
        pad_token_id=pad_token_id,
    )


def _check_complete(report: dict[str, Any]) -> None:
    """What a file lacks is set at random, with no more than a warning."""
    lacking = sorted(report["missing_keys"])
    if lacking:
        raise JudgeUnavailable(
            f"its files lack {len(lacking)} of the weights, such as {lacking[0]}; "
            "is it an image-text-to-text model, and all of it there?"
        )
