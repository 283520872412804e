"""From a `Question` to an `Answer` by any LangChain chat model."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from qoe_service.provider import Answer, CallFailed, Question
from qoe_service.provider.failures import failure_of
from qoe_service.provider.replies import read_reply

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

LONGEST_TEXT = 8_192


class Chat:
    """Asks one chat model, once: it neither waits nor tries again.

    Args:
        model: with retries off.
        seed: with it, every `sample` of a question is drawn with a seed of its own; `None` for
            models that take none.
        longest_text: characters beyond which a reply is not read.
        wall_clock: seconds since 1970, to read Retry-After dates.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        seed: int | None = None,
        longest_text: int = LONGEST_TEXT,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        from langchain_openai.chat_models.base import BaseChatOpenAI

        self._model = model
        self._speaks_openai = isinstance(model, BaseChatOpenAI)
        self._seed, self._longest_text, self._wall_clock = seed, longest_text, wall_clock

    async def ask(self, question: Question) -> Answer:
        """What the model answers.

        Raises:
            CallFailed: whatever went wrong.
        """
        try:
            message = await self._reply(question)
        except CallFailed:
            raise
        except Exception as error:  # every SDK raises its own
            raise failure_of(error, wall_clock=self._wall_clock) from error
        return read_reply(
            message, structured=question.schema is not None, longest_text=self._longest_text
        )

    async def _reply(self, question: Question) -> AIMessage:
        options: dict[str, Any] = {}
        if self._seed is not None:
            options["seed"] = self._seed + question.sample
        if question.schema is None:
            return await self._model.ainvoke(messages(question), **options)
        if self._speaks_openai:
            options["response_format"] = _response_format(question.schema)
            return await self._model.ainvoke(messages(question), **options)
        return await self._structured(question, question.schema, options)

    async def _structured(
        self, question: Question, schema: str, options: dict[str, Any]
    ) -> AIMessage:
        """By whatever means the model has of answering in a schema, tool calls for instance."""
        asking = self._model.with_structured_output(orjson.loads(schema), include_raw=True)
        found: Any = await asking.ainvoke(messages(question), **options)
        message: AIMessage = found["raw"]
        if found["parsed"] is None:
            return message
        return message.model_copy(update={"content": orjson.dumps(found["parsed"]).decode()})


def messages(question: Question) -> list[BaseMessage]:
    """A question as LangChain's messages, pictures as its standard content blocks."""
    from langchain_core.messages import HumanMessage, SystemMessage

    if not question.pictures:
        return [SystemMessage(question.system), HumanMessage(question.user)]
    content: list[str | dict[Any, Any]] = [{"type": "text", "text": question.user}]
    content.extend(_picture_block(picture) for picture in question.pictures)
    return [SystemMessage(question.system), HumanMessage(content)]


def _picture_block(png: bytes) -> dict[str, str]:
    data = base64.b64encode(png).decode()
    return {"type": "image", "base64": data, "mime_type": "image/png"}


def _response_format(schema: str) -> dict[str, Any]:
    shape = orjson.loads(schema)
    name = str(shape.get("title", "answer"))
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": shape, "strict": True},
    }
