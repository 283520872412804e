from __future__ import annotations

import numpy as np
import pytest

from allocator.diffusion.alignment import alignment, contrasts
from tinyworld.clip import WEIGHTS, create_clip, load_clip
from tinyworld.drawing import draw_scene
from tinyworld.scenes import PLACES, STYLES, SUBJECTS, TIMES, Scene

STREET = Scene("street", "night", ("man",), "walks", "photo", "cluttered")
BEACH = Scene("beach", "day", ("bird",), "flies", "mural", "tidy")
FACTORS = ("place", "time", "subjects", "style")


@pytest.mark.parametrize("scene", [STREET, BEACH])
def test_contrasts_are_all_scenes_one_factor_away(scene):
    found = contrasts(scene)
    choices = (PLACES, TIMES, SUBJECTS, STYLES)
    assert len(found) == len(set(found)) == sum(len(values) - 1 for values in choices)
    for other in found:
        assert sum(getattr(other, f) != getattr(scene, f) for f in FACTORS) == 1
        assert other.tidiness == scene.tidiness


def test_alignment_is_the_probability_of_the_own_caption():
    pictures = np.zeros((3, 64, 64, 3), np.uint8)
    found = alignment(create_clip(0), pictures, [STREET, BEACH, STREET], [BEACH, STREET, BEACH])
    assert found.shape == (3,)
    assert ((found > 0) & (found < 1)).all()
    assert found[0] == found[2]


@pytest.mark.skipif(
    not (WEIGHTS / "clip.safetensors").exists(), reason="tinyworld's CLIP is not trained yet"
)
def test_drawn_scenes_are_aligned_with_themselves_and_not_with_others():
    rng = np.random.default_rng(0)
    pictures = np.stack([np.asarray(draw_scene(s, rng)) for s in (STREET, BEACH) for _ in range(4)])
    own = [scene for scene in (STREET, BEACH) for _ in range(4)]
    assert alignment(load_clip(), pictures, own, own[::-1]).mean() > 0.5
    assert alignment(load_clip(), pictures, own[::-1], own).mean() < 0.1
