"""Reading a picture's factors with a CLIP, zero-shot: which wording of each factor fits best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tinyworld.captions import PLACE_WORDS, STYLE_WORDS, TIDINESS_WORDS, TIME_WORDS
from tinyworld.clip import TinyClip
from tinyworld.dataset import PictureSet
from tinyworld.scenes import PLACES, STYLES, SUBJECTS, TIDINESS, TIMES, Scene

FACTORS = ("place", "time", "style", "subjects", "tidiness")


def read_factors(clip: TinyClip, pictures: NDArray[np.uint8]) -> dict[str, list[object]]:
    """For every factor, the value that CLIP reads from each picture."""
    seen = torch.cat(
        [clip.embed_pictures(pictures[i : i + 256]) for i in range(0, len(pictures), 256)]
    )
    found: dict[str, list[object]] = {}
    for factor, wordings in _wordings().items():
        values = list(wordings)
        axes = torch.stack([_mean_direction(clip, texts) for texts in wordings.values()])
        found[factor] = [values[column] for column in (seen @ axes.T).argmax(dim=1).tolist()]
    return found


def agreement(found: Mapping[str, Sequence[object]], scenes: Sequence[Scene]) -> dict[str, float]:
    """Per factor, the share of pictures whose reading is what the scene says."""
    return {
        factor: float(
            np.mean(
                [
                    value == getattr(scene, factor)
                    for value, scene in zip(found[factor], scenes, strict=True)
                ]
            )
        )
        for factor in FACTORS
    }


def factor_accuracies(clip: TinyClip, pictures: PictureSet) -> dict[str, float]:
    """Zero-shot accuracy per factor on pictures whose scenes are known."""
    return agreement(read_factors(clip, pictures.pictures), pictures.scenes)


def _mean_direction(clip: TinyClip, texts: Sequence[str]) -> torch.Tensor:
    return torch.nn.functional.normalize(clip.embed_texts(texts).mean(dim=0), dim=0)


def _wordings() -> dict[str, dict[object, list[str]]]:
    """For every value of every factor, an ensemble of texts that say it."""
    return {
        "place": {place: _in_every_style(PLACE_WORDS[place]) for place in PLACES},
        "time": {time: _in_every_style(TIME_WORDS[time]) for time in TIMES},
        "style": {
            style: [f"{words} of {name}" for words in STYLE_WORDS[style] for name in _who()]
            for style in STYLES
        },
        "subjects": {
            subjects: [f"{opening}{_names(subjects)}" for opening in _openings()]
            for subjects in SUBJECTS
        },
        "tidiness": {
            tidiness: [f"{name}, {word}" for word in TIDINESS_WORDS[tidiness] for name in _who()]
            for tidiness in TIDINESS
        },
    }


def _in_every_style(phrases: Sequence[str]) -> list[str]:
    return [
        f"{opening}{name} {phrase}"
        for opening in _openings()
        for name in _who()
        for phrase in phrases
    ]


def _openings() -> list[str]:
    return ["", *(f"{words[0]} of " for words in STYLE_WORDS.values())]


def _who() -> list[str]:
    return [_names(subjects) for subjects in SUBJECTS]


def _names(subjects: tuple[str, ...]) -> str:
    return " and ".join(f"a {subject}" for subject in subjects) or "nobody"
