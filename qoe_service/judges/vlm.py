"""The VLM judge: a chat model that is shown the picture and plays the persona."""

from __future__ import annotations

from qoe_service.judges.chat import ChatJudge, create_chat_judge
from qoe_service.judges.parts import Parts
from qoe_service.judges.perception import Shown


def create_vlm_judge(parts: Parts) -> ChatJudge:
    """The judge that the settings describe. Raises as `create_chat_judge` does."""
    return create_chat_judge("vlm", Shown(), parts)
