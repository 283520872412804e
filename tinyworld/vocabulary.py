"""The words tinyworld knows, and the tokenizer made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from tinyworld.captions import caption
from tinyworld.scenes import sample_scene

CONTEXT_LENGTH = 24
PADDING, UNKNOWN, START, END = "[PAD]", "[UNK]", "[START]", "[END]"


def build_tokenizer(words: Iterable[str]) -> Tokenizer:
    """A tokenizer of whole words; the end token has the highest id, where open_clip pools."""
    names = [PADDING, UNKNOWN, START, *sorted(set(words)), END]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    tokenizer.enable_truncation(CONTEXT_LENGTH)
    tokenizer.enable_padding(pad_id=vocabulary[PADDING], pad_token=PADDING, length=CONTEXT_LENGTH)
    return tokenizer


@cache
def words_of_captions() -> tuple[str, ...]:
    """Every word that captions use, found by writing many of them."""
    rng = np.random.default_rng(0)
    split = Whitespace()
    words: set[str] = set()
    for _ in range(20_000):
        text = caption(sample_scene(rng), rng)
        words.update(word for word, _ in split.pre_tokenize_str(text))
    return tuple(sorted(words))


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> torch.Tensor:
    """Token ids of shape (N, 24), int64, padded; too long texts are cut."""
    encodings = tokenizer.encode_batch(list(texts))
    return torch.tensor([encoding.ids for encoding in encodings], dtype=torch.int64)


def unknown_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """The words of a text that the tokenizer has never seen, in order."""
    split = Whitespace()
    words = [word for word, _ in split.pre_tokenize_str(text.lower())]
    return [word for word in words if tokenizer.token_to_id(word) is None]
