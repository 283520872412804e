"""Does every tier really judge? A picture of the tiny world, drawn anew for each look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from qoe_service.errors import QoEError
from qoe_service.schemas import JudgeInfo, Readiness
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import sample_scene

if TYPE_CHECKING:
    from qoe_service.scoring import Scorer


def readiness(scorer: Scorer, rng: np.random.Generator) -> Readiness:
    """Every tier's verdict on one fresh picture, which no cache can have answered before."""
    scene = sample_scene(rng)
    picture = np.asarray(draw_scene(scene, rng))[np.newaxis]  # (1, 64, 64, 3)
    tiers = tuple(_try(scorer, info, picture, plain_caption(scene)) for info in scorer.judges())
    return Readiness(status=_overall(tiers), tiers=tiers)


def _try(scorer: Scorer, info: JudgeInfo, picture: np.ndarray, prompt: str) -> JudgeInfo:
    witness = scorer.personas()[0].id
    try:
        reply = scorer.rewards(picture, [prompt], personas=[witness], tier=info.tier)
    except QoEError as error:
        return _silent(info, str(error))
    if reply.rewards[0] is None:
        return _silent(info, info.reason or f"the canary picture was answered {reply.statuses[0]}")
    return info.model_copy(update={"ready": True, "reason": None})


def _silent(info: JudgeInfo, reason: str) -> JudgeInfo:
    return info.model_copy(update={"ready": False, "reason": reason})


def _overall(tiers: tuple[JudgeInfo, ...]) -> Literal["ready", "degraded", "unavailable"]:
    working = [info.ready for info in tiers]
    if all(working):
        return "ready"
    return "degraded" if any(working) else "unavailable"
