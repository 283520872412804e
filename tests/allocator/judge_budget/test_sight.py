import numpy as np
import pytest
import torch

from allocator.catalogue import TOPICS, compose_catalogue, word_embedding
from allocator.judge_budget.sight import Sight, see


class Painter:
    """Draws the number of shared steps as a grey."""

    def run(self, plans):
        shared = [0 if len(plan.segments) == 1 else plan.segments[0].steps for plan in plans]
        return np.tile(np.array(shared, np.uint8)[:, None, None, None], (1, 4, 4, 3))


class Eyes:
    """Embeds a picture as its grey."""

    revision = "grey"

    def embed_pictures(self, pictures):
        grey = torch.from_numpy(pictures[:, 0, 0, 0].astype(np.float32))
        return torch.stack([grey, torch.ones_like(grey)], dim=1)

    def embed_texts(self, texts):
        return torch.ones(len(texts), 2)


@pytest.fixture
def catalogue():
    return compose_catalogue(
        word_embedding, topics=TOPICS[:2], total_steps=6, error_levels=(0.0, 0.1, 0.5)
    )


def test_every_picture_is_seen_as_it_is_planned(catalogue):
    seen = see(catalogue, Painter(), Eyes())
    assert seen.shape == catalogue.shape
    assert (seen.pictures[..., 0] == np.arange(6)[:, None]).all()


def test_the_context_of_a_picture_drawn_alone_has_no_bit_errors(catalogue):
    context = see(catalogue, Painter(), Eyes()).context
    assert np.array_equal(context[0], np.zeros((3, 2)))
    assert context[3].tolist() == [[0.5, 0.0], [0.5, 0.1], [0.5, 0.5]]


def test_what_was_seen_is_kept(catalogue, tmp_path):
    seen = see(catalogue, Painter(), Eyes())
    seen.save(tmp_path / "sight.npz")
    again = Sight.load(tmp_path / "sight.npz")
    assert again.revision == "grey"
    assert np.array_equal(again.pictures, seen.pictures)
    assert np.array_equal(again.context, seen.context)
