"""The shipped models are as good as their cards say, on combinations that training never saw.

The cards score more pictures; here there are fewer, so each floor lies below the card's figure by
three standard errors: ten comparisons are made.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tinyworld.captions import plain_caption
from tinyworld.clip import WEIGHTS, load_clip
from tinyworld.dataset import held_out_set
from tinyworld.diffusion import load_diffusion
from tinyworld.sampling import sample
from tinyworld.scenes import sample_scenes
from tinyworld.zero_shot import agreement, factor_accuracies, read_factors

PICTURES = 300
GENERATED = 120


def card_scores(card: Path) -> dict[str, float]:
    """The first percentage of every row of a card's table."""
    rows = re.findall(r"^\| (\w+) \| ([\d.]+)%", card.read_text(), re.MULTILINE)
    return {factor: float(share) / 100 for factor, share in rows}


def floors(card: Path, count: int) -> dict[str, float]:
    """Three standard errors of `count` pictures below the card, counting at least one error."""
    return {
        factor: share - 3 * np.sqrt(max(share * (1 - share), 0.02) / count)
        for factor, share in card_scores(card).items()
    }


def test_the_clip_reads_drawn_scenes_as_its_card_says() -> None:
    scores = factor_accuracies(load_clip(), held_out_set(PICTURES, seed=5))
    print(scores)
    for factor, floor in floors(WEIGHTS / "clip.md", PICTURES).items():
        assert scores[factor] >= floor, factor


def test_generated_pictures_show_what_was_asked_as_the_card_says() -> None:
    scenes = sample_scenes(GENERATED, np.random.default_rng(5), held_out=True)
    prompts = [plain_caption(scene) for scene in scenes]
    generator = torch.Generator().manual_seed(5)
    pictures = np.concatenate(
        [sample(load_diffusion(), prompts[i : i + 40], generator) for i in range(0, GENERATED, 40)]
    )
    scores = agreement(read_factors(load_clip(), pictures), scenes)
    print(scores)
    for factor, floor in floors(WEIGHTS / "uvit.md", GENERATED).items():
        assert scores[factor] >= floor, factor


def test_the_shipped_files_stay_under_forty_megabytes() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 40e6


@pytest.mark.parametrize("weights", sorted(WEIGHTS.glob("*.safetensors")), ids=lambda w: w.stem)
def test_every_weights_file_has_its_card(weights: Path) -> None:
    assert weights.with_suffix(".md").exists()
