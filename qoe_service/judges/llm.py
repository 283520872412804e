"""The LLM judge: a chat model that is told what a CLIP and pixels say, and plays the persona."""

from __future__ import annotations

from qoe_service.cache import VectorCache
from qoe_service.judges.chat import ChatJudge
from qoe_service.judges.endpoint import endpoint_of
from qoe_service.judges.perception import Perception
from qoe_service.judges.probe import manners
from qoe_service.judges.questions import judge_prompt
from qoe_service.provider.budget import Budget
from qoe_service.settings import Settings

TIER = "llm"


def create_llm_judge(
    settings: Settings,
    perception: Perception,
    *,
    cache: VectorCache,
    budget: Budget,
    free_budget: Budget,
) -> ChatJudge:
    """The judge that the settings describe; it owns the perception and the cache.

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
        perception=perception,
        template=judge_prompt("judge-description", settings.prompts),
        cache=cache,
        candidates=candidates,
    )
