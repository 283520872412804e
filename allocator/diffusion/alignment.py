"""How well a picture shows its prompt: CLIP's choice between the prompt and its contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from allocator.arrays import Floats
from tinyworld.captions import plain_caption
from tinyworld.clip import TinyClip
from tinyworld.scenes import PLACES, STYLES, SUBJECTS, TIMES, Scene, possible_actions


def contrasts(scene: Scene) -> list[Scene]:
    """Every scene that differs from this one in place, time, subjects or style alone.

    Tidiness is left out: at the end of a full caption it hardly moves CLIP, so that its contrast
    takes half of the probability from any picture, well drawn or not.
    """
    others = [replace(scene, place=place) for place in PLACES]
    others += [replace(scene, time=time) for time in TIMES]
    others += [replace(scene, style=style) for style in STYLES]
    others += [_with_subjects(scene, subjects) for subjects in SUBJECTS]
    return [other for other in others if other != scene]


def _with_subjects(scene: Scene, subjects: tuple[str, ...]) -> Scene:
    actions = possible_actions(subjects)
    action = scene.action if scene.action in actions else actions[0]
    return replace(scene, subjects=subjects, action=action)


def alignment(
    clip: TinyClip,
    pictures: NDArray[np.uint8],
    scenes: Sequence[Scene],
    rivals: Sequence[Scene],
) -> Floats:
    """Probability in [0, 1] that CLIP gives each picture's own scene.

    It chooses, zero-shot, among the plain captions of the scene, of its contrasts and of its rival
    (the scene that was said in public).
    """
    seen = clip.embed_pictures(pictures)
    scale = clip.model.logit_scale.exp()
    texts: dict[tuple[Scene, Scene], torch.Tensor] = {}
    found = []
    for picture, scene, rival in zip(seen, scenes, rivals, strict=True):
        if (scene, rival) not in texts:
            choices = dict.fromkeys([scene, *contrasts(scene), rival])
            texts[scene, rival] = clip.embed_texts([plain_caption(choice) for choice in choices])
        chosen = (scale * texts[scene, rival] @ picture).softmax(dim=0)
        found.append(float(chosen[0]))
    return np.array(found)
