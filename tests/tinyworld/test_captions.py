from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyworld.captions import GENERAL_WORDS, caption, plain_caption
from tinyworld.scenes import Scene, sample_scene
from tinyworld.vocabulary import (
    CONTEXT_LENGTH,
    build_tokenizer,
    token_ids,
    unknown_words,
    words_of_captions,
)

SCENE = Scene("street", "night", ("man", "dog"), "walks", "mural", "cluttered")
TOKENIZER = build_tokenizer(words_of_captions())


def test_the_plain_caption_names_every_factor() -> None:
    assert plain_caption(SCENE) == (
        "an abstract mural of a man and a dog walking in the street at night, cluttered"
    )


@given(st.integers(0, 2**32 - 1))
def test_every_caption_names_its_subjects(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = sample_scene(rng)
    text = caption(scene, rng)
    names = scene.subjects or ("nobody", "empty")
    found = [name in text for name in names]
    general = any(words in text for words in GENERAL_WORDS.get(scene.subjects, ()))
    assert general or (all(found) if scene.subjects else any(found))


def test_captions_vary_in_wording_and_order() -> None:
    rng = np.random.default_rng(0)
    assert len({caption(SCENE, rng) for _ in range(200)}) > 100


def test_every_caption_word_has_a_token() -> None:
    rng = np.random.default_rng(5)
    for _ in range(500):
        assert unknown_words(TOKENIZER, caption(sample_scene(rng), rng)) == []


def test_unknown_words_are_told() -> None:
    assert unknown_words(TOKENIZER, "a Zebra in the street") == ["zebra"]


def test_tokens_are_padded_and_end_with_the_highest_id() -> None:
    ids = token_ids(TOKENIZER, ["a man", "a dog sits in the park"])
    assert ids.shape == (2, CONTEXT_LENGTH)
    assert (ids.max(dim=1).values == TOKENIZER.get_vocab_size() - 1).all()
