from __future__ import annotations

import numpy as np
import pytest
import torch

from tinyworld.clip import EMBEDDING_SIZE, TEXT_WIDTH, create_clip
from tinyworld.vocabulary import CONTEXT_LENGTH


@pytest.fixture(scope="module")
def clip():
    return create_clip(seed=0)


def test_embeddings_are_unit_vectors(clip) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    for embedding in (clip.embed_pictures(pictures), clip.embed_texts(["a man", "", "a dog"])):
        assert embedding.shape == (3, EMBEDDING_SIZE)
        assert torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-5)


def test_text_features_are_those_behind_the_embedding(clip) -> None:
    features = clip.text_features(["a man in the park"])
    assert features.shape == (1, CONTEXT_LENGTH, TEXT_WIDTH)
    end = int(clip.tokenize(["a man in the park"]).argmax())
    projected = torch.nn.functional.normalize(features[:, end] @ clip.model.text_projection, dim=-1)
    assert torch.allclose(projected, clip.embed_texts(["a man in the park"]), atol=1e-5)


def test_pictures_of_another_size_are_refused(clip) -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 32, 32, 3\)"):
        clip.pixels(np.zeros((1, 32, 32, 3), dtype=np.uint8))


def test_random_weights_are_determined_by_their_seed(clip) -> None:
    again, other = create_clip(seed=0), create_clip(seed=1)
    texts = ["a cat sits at home"]
    assert torch.equal(clip.embed_texts(texts), again.embed_texts(texts))
    assert not torch.equal(clip.embed_texts(texts), other.embed_texts(texts))
