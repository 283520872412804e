"""The VLM judge: a chat model that is shown the picture and plays the persona."""

from __future__ import annotations

from qoe_service.cache import VectorCache
from qoe_service.judges.chat import ChatJudge
from qoe_service.judges.endpoint import endpoint_of
from qoe_service.judges.perception import Shown
from qoe_service.judges.probe import manners
from qoe_service.judges.questions import judge_prompt
from qoe_service.provider.budget import Budget
from qoe_service.settings import Settings

TIER = "vlm"


def create_vlm_judge(
    settings: Settings, *, cache: VectorCache, budget: Budget, free_budget: Budget
) -> ChatJudge:
    """The judge that the settings describe; it owns the cache and closes it.

    Raises:
        JudgeUnavailable: if no model is named, or it cannot be set up.
        PromptFileError: if the template is wrong.
    """
    candidates = manners(settings.samples)
    return ChatJudge(
        TIER,
        endpoint_of(
            settings,
            TIER,
            [manner.decoding for manner in candidates],
            budget=budget,
            free_budget=free_budget,
        ),
        perception=Shown(),
        template=judge_prompt("judge-image", settings.prompts),
        cache=cache,
        candidates=candidates,
    )
