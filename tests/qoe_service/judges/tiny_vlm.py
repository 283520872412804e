"""Vision-language models with random weights: real architectures and processors, only very small.

What they answer depends on all that they are shown and told, and nearly always begins with a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from qoe_service.judges.questions import DIGITS, WORDS, Asking, judge_prompt
from qoe_service.personas import Registry
from tinyworld.torchvision_operators import ensure_operators

ensure_operators()
import transformers  # noqa: E402 - needs the operators

WIDTH, HEADS, PATCH, SIDE = 32, 4, 8, 32

CONSTANT = 4.0
"""What the first number of every token's embedding is, so that leads can be laid on it."""

LEAD = 20.0
"""How far the levels are ahead of all other tokens, in the head's first column."""

WORDS_LEAD = dict.fromkeys((*WORDS.labels, *map(str.lower, WORDS.labels)), LEAD)
DIGITS_LEAD = dict.fromkeys(DIGITS.labels, LEAD)

PARTS = (
    "{% for part in message.content %}{% if part.type == 'image' %}<image>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}"
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n" + PARTS + "<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
USERS_ONLY = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ raise_exception('no system messages') }}{% endif %}"
    "USER: " + PARTS + " {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)

BEGIN, END, PAD, UNKNOWN = "<s>", "<|im_end|>", "<pad>", "<unk>"
SPECIAL = (PAD, UNKNOWN, BEGIN, "<|im_start|>", END, "<image>", "<video>", "[INST]")


@dataclass(frozen=True)
class Tiny:
    """A model before it is saved.

    leads: of tokens, spelled without the space before them; whatever is not named stays behind.
    """

    family: str = "qwen2_vl"
    template: str = CHATML
    vocabulary: str = "byte pairs"
    seed: int = 0
    leads: Mapping[str, float] = field(default_factory=lambda: WORDS_LEAD)

    def but(self, **changes: Any) -> Tiny:
        return replace(self, **changes)

    def saved_in(self, folder: Path) -> Path:
        tokenizer = _fast(VOCABULARIES[self.vocabulary](self.family))
        model, processor = FAMILIES[self.family](tokenizer)
        processor.chat_template = self.template
        _set_weights(model, self.seed)
        _lay_leads(model, tokenizer, self.leads)
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        return folder


def _set_weights(model: Any, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=1.5 / parameter[0].numel() ** 0.5, generator=generator)
        embeddings = model.get_input_embeddings().weight
        embeddings.normal_(generator=generator)
        embeddings[:, 0] = CONSTANT


def _lay_leads(model: Any, tokenizer: Any, leads: Mapping[str, float]) -> None:
    head = model.get_output_embeddings().weight
    with torch.no_grad():
        head[:, 0] = -LEAD
        for token, place in tokenizer.get_vocab().items():
            head[place, 0] = leads.get(token.strip("\u0120"), -LEAD)


def _fast(backend: Tokenizer) -> Any:
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        unk_token=UNKNOWN,
        extra_special_tokens={"image_token": "<image>", "video_token": "<video>"},
    )


def _byte_pairs(family: str) -> Tokenizer:
    """Every level is one token, with a space before it and without."""
    backend = Tokenizer.from_str(_trained_byte_pairs())
    if family != "qwen2_vl":  # a tokenizer that begins every text itself
        backend.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", special_tokens=[(BEGIN, backend.token_to_id(BEGIN))]
        )
    return backend


@cache
def _trained_byte_pairs() -> str:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_texts(), trainer)
    return backend.to_str()


def _whole_words_but_two(family: str) -> Tokenizer:
    """Whole words, of which it does not know Excellent and Poor: their tokens are the same."""
    del family
    backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(special_tokens=list(SPECIAL), show_progress=False)
    said = " ".join(_texts()).replace("Excellent", "").replace("Poor", "")
    backend.train_from_iterator([said], trainer)
    return backend


def _texts() -> list[str]:
    asking = Asking(judge_prompt("judge-image"))
    told = [asking.question(persona, wish="a dog").system for persona in Registry().all()]
    levels = WORDS_LEAD | DIGITS_LEAD
    return told + [text for level in levels for text in (level, f" {level}")] * 20


def _text_config(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _qwen2_vl(tokenizer: Any) -> tuple[Any, Any]:
    """Pictures of any size become more or fewer tokens; places are three-dimensional."""
    patches = {"patch_size": PATCH, "merge_size": 2, "temporal_patch_size": 2}
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
    config = transformers.Qwen2VLConfig(
        text_config=_text_config(tokenizer) | {"rope_parameters": rope},
        vision_config={
            "depth": 2,
            "embed_dim": WIDTH,
            "hidden_size": WIDTH,
            "num_heads": HEADS,
            "mlp_ratio": 2,
            "patch_size": PATCH,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
        tie_word_embeddings=False,
    )
    processor = transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(
            **patches, min_pixels=(2 * PATCH) ** 2, max_pixels=(8 * PATCH) ** 2
        ),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen2VLVideoProcessor(**patches),
    )
    return transformers.Qwen2VLForConditionalGeneration(config), processor


def _llava(tokenizer: Any) -> tuple[Any, Any]:
    """Every picture is cropped to one size."""
    config = transformers.LlavaConfig(
        text_config=transformers.LlamaConfig(**_text_config(tokenizer)),
        vision_config=transformers.CLIPVisionConfig(**_vision_config()),
        image_token_index=tokenizer.image_token_id,
        tie_word_embeddings=False,
    )
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
        ),
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def _idefics3(tokenizer: Any) -> tuple[Any, Any]:
    """Pictures are cut into tiles, of which a batch is padded with empty ones."""
    config = transformers.Idefics3Config(
        text_config=transformers.LlamaConfig(**_text_config(tokenizer)),
        vision_config=_vision_config(),
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    processor = transformers.Idefics3Processor(
        image_processor=transformers.Idefics3ImageProcessor(
            size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE}
        ),
        tokenizer=tokenizer,
        image_seq_len=(SIDE // PATCH // 2) ** 2,
    )
    config.text_config.vocab_size = len(tokenizer)
    return transformers.Idefics3ForConditionalGeneration(config), processor


def _vision_config() -> dict[str, Any]:
    return {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS,
        "image_size": SIDE,
        "patch_size": PATCH,
    }


FAMILIES: Mapping[str, Callable[[Any], tuple[Any, Any]]] = {
    "qwen2_vl": _qwen2_vl,
    "llava": _llava,
    "idefics3": _idefics3,
}
VOCABULARIES: Mapping[str, Callable[[str], Tokenizer]] = {
    "byte pairs": _byte_pairs,
    "words but two": _whole_words_but_two,
}
