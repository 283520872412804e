"""How a processor's chat template is given what a judge is told, so that all of it arrives.

Templates differ: some drop a system message, some refuse one, some know no pictures. What is lost
on the way would not be missed, since a model judges all the same, as nobody in particular.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from qoe_service.errors import JudgeUnavailable
from qoe_service.provider import Question

Form = Callable[[Question], list[dict[str, Any]]]

_PICTURE = {"type": "image"}
_SAID = Question("it is told\nthis", "it is asked\nthat")
"""Line ends show whether a text arrives as it is or in the notation of some list."""


def in_two_messages(question: Question) -> list[dict[str, Any]]:
    """A system message, and a user message with the picture before the text."""
    return [
        {"role": "system", "content": [_text(question.system)]},
        {"role": "user", "content": [_PICTURE, _text(question.user)]},
    ]


def in_one_message(question: Question) -> list[dict[str, Any]]:
    """The same for models to which only a user can speak."""
    told = _text(f"{question.system}\n\n{question.user}")
    return [{"role": "user", "content": [_PICTURE, told]}]


class ChatForm:
    """A processor's chat template with the form in which it takes questions.

    Raises:
        JudgeUnavailable: if there is none in which both texts and a picture arrive.
    """

    def __init__(self, processor: Any) -> None:
        template = str(processor.chat_template or "")
        # A model that thinks aloud first would not answer where its answer is looked for.
        self._options = {"enable_thinking": False} if "enable_thinking" in template else {}
        self._processor = processor
        self._control = _control_tokens(processor.tokenizer, template)
        self._form = self._first_that_arrives()

    def written(self, question: Question) -> str:
        """The text that the model reads, up to where its answer begins."""
        return self._rendered(self._form(self._disarmed(question)))

    def _disarmed(self, question: Question) -> Question:
        """The question without control tokens. Angle brackets in values are taken out before."""
        if self._control is None:
            return question
        return Question(
            self._control.sub(_spaced, question.system), self._control.sub(_spaced, question.user)
        )

    def _first_that_arrives(self) -> Form:
        why = "it has none"
        for form in (in_two_messages, in_one_message) if self._processor.chat_template else ():
            try:
                if self._arrives(form(_SAID)):
                    return form
                why = "texts or pictures do not come through it"
            except Exception as error:  # templates are programs of their own and raise anything
                why = str(error)[:200]
        raise JudgeUnavailable(f"the model's chat template cannot be used: {why}")

    def _arrives(self, messages: list[dict[str, Any]]) -> bool:
        written = self._rendered(messages)
        told, asked = written.find(_SAID.system), written.find(_SAID.user)
        blind = [
            {**message, "content": [part for part in message["content"] if part != _PICTURE]}
            for message in messages
        ]
        return 0 <= told < asked and self._rendered(blind) != written

    def _rendered(self, messages: list[dict[str, Any]]) -> str:
        written: str = self._processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, **self._options
        )
        return written


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _control_tokens(tokenizer: Any, template: str) -> re.Pattern[str] | None:
    """Those without angle brackets, such as [INST]."""
    tokens = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if (token.special or token.content in template) and token.content.strip()
    }
    bare = sorted((token for token in tokens if not set("<>") & set(token)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, bare))) if bare else None


def _spaced(token: re.Match[str]) -> str:
    return " ".join(token[0])
