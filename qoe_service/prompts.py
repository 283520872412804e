"""Templates of what a chat judge is told, and putting values into them. `prompt_files` reads them.

A template is a system and a user part in the mustache language: `{{{name}}}` puts a value in,
`{{#name}} ... {{/name}}` is shown if the value is not empty, `{{^name}}` if it is. Values are data:
they are put in as they are, once, and can neither be template code nor close a tag of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate

AnswerKind = Literal["level", "json"]
"""What is expected back: a bare level of the scale, or a JSON object of levels."""

ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)

_ANGLES = str.maketrans("<>＜＞﹤﹥", "‹›‹›‹›")  # noqa: RUF001 - look-alikes on purpose
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), " ")


@dataclass(frozen=True)
class Rendered:
    """The two messages of one chat call."""

    system: str
    user: str


@dataclass(frozen=True, eq=False)
class Message:
    """The template of one message, and the names it uses."""

    role: Literal["system", "human"]
    text: str
    names: frozenset[str]

    @cached_property
    def template(self) -> ChatPromptTemplate:
        """The template as LangChain knows it."""
        from langchain_core.prompts import ChatPromptTemplate

        return ChatPromptTemplate([(self.role, self.text)], template_format="mustache")


@dataclass(frozen=True, eq=False)
class JudgePrompt:
    """One version of one template."""

    id: str
    version: str
    sha256: str
    variables: tuple[str, ...]
    answers: tuple[AnswerKind, ...]
    system: Message
    user: Message

    @property
    def tag(self) -> str:
        """Which words exactly: judge-image@1.0.0+9c1f03ab, the hash over the file's content."""
        return f"{self.id}@{self.version}+{self.sha256[:8]}"

    def render(self, values: Mapping[str, str], *, answer: AnswerKind) -> Rendered:
        """Put values in. Every variable of the template needs one, an empty one if it has none.

        Raises:
            ValueError: for a missing or an unknown variable, or an answer it does not ask for.
        """
        missing, unknown = set(self.variables) - set(values), set(values) - set(self.variables)
        if missing:
            raise ValueError(f"{self.tag} needs values for: {', '.join(sorted(missing))}")
        if unknown:
            raise ValueError(f"{self.tag} has no variables: {', '.join(sorted(unknown))}")
        if answer not in self.answers:
            asks = ", ".join(self.answers)
            raise ValueError(f"{self.tag} asks for answers of the kinds {asks}, not {answer!r}")
        kinds = {kind: kind if kind == answer else "" for kind in ANSWER_KINDS}
        data = dict[str, str](**values, **kinds)
        return Rendered(_message(self.system, data), _message(self.user, data))


def _message(message: Message, data: Mapping[str, str]) -> str:
    return _rendered(message, tuple((name, data[name]) for name in message.names))


# LangChain parses a mustache template anew each time, which is slow, while a persona is told
# the same about itself each time, and the same about each picture of a wish.
@lru_cache(maxsize=4096)
def _rendered(message: Message, values: tuple[tuple[str, str], ...]) -> str:
    (written,) = message.template.format_messages(**{name: as_data(text) for name, text in values})
    return str(written.content).strip()


def as_data(text: str) -> str:
    """Text that cannot be taken for a tag of a template or a control token of a chat model.

    Angle brackets, and what looks like them, become single quotation marks of the same shape;
    control characters become spaces; what cannot be sent as UTF-8 becomes a question mark.
    """
    sendable = text.encode("utf-8", "replace").decode("utf-8")
    return sendable.translate(_ANGLES).translate(_CONTROLS)
