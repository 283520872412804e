"""The LLM judge: a chat model that is told what a CLIP and pixels say, and plays the persona."""

from __future__ import annotations

from qoe_service.judges.chat import ChatJudge, create_chat_judge
from qoe_service.judges.description import Described
from qoe_service.judges.parts import Parts


def create_llm_judge(parts: Parts) -> ChatJudge:
    """The judge that the settings describe. Raises as `create_chat_judge` does."""
    described = Described(parts.encoder, parts.reading, parts.sights)
    return create_chat_judge("llm", described, parts)
