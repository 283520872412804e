"""What a chat judge is asked: in whose place, on which scale, with which answer expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from qoe_service.judges.persona_text import Portrait, short_portrait
from qoe_service.personas import Persona
from qoe_service.prompt_files import load_prompt
from qoe_service.prompts import AnswerKind, JudgePrompt
from qoe_service.provider import Question

TEMPLATES: Mapping[str, str] = {"vlm": "judge-image", "llm": "judge-description"}
"""In which words the judges that are asked over a network are asked."""

ANSWER_KEY = "level"
"""The one key of a JSON answer, as the templates name it."""


@dataclass(frozen=True)
class Levels:
    """The labels of the five-grade scale, best first, with the grade each stands for.

    meaning: what labels that do not speak for themselves mean, for the judge to read.
    """

    labels: tuple[str, ...]
    grades: tuple[float, ...] = (5.0, 4.0, 3.0, 2.0, 1.0)
    meaning: str = ""

    def grade(self, label: str) -> float | None:
        """The grade of a label, in any case; `None` if it is none."""
        for known, grade in zip(self.labels, self.grades, strict=True):
            if known.casefold() == label.casefold():
                return grade
        return None

    def begun_by(self, start: str) -> tuple[int, ...]:
        """Which labels a beginning may grow into, in any case; a whole label is one of its own."""
        begin = start.casefold()
        return tuple(i for i, label in enumerate(self.labels) if label.casefold().startswith(begin))


WORDS = Levels(("Excellent", "Good", "Fair", "Poor", "Bad"))
"""Absolute category rating, ITU-T P.800 (08/1996), annex B."""

DIGITS = Levels(
    ("5", "4", "3", "2", "1"), meaning="5 is excellent, 4 good, 3 fair, 2 poor and 1 bad"
)
"""The same grades for models whose tokens do not tell the words apart."""

OFFERED = frozenset(
    {
        *(field.name for field in fields(Portrait)),
        *("wish", "description", "waited_s", "patience_s", "levels", "meaning"),
    }
)
"""The variables that a judge's template may use."""


@dataclass(frozen=True)
class Asking:
    """How a judge asks: the same for all its personas and pictures."""

    prompt: JudgePrompt
    levels: Levels = WORDS
    answer: AnswerKind = "level"

    def question(
        self,
        persona: Persona,
        *,
        wish: str,
        waited_s: float = 0.0,
        description: str = "",
        pictures: tuple[bytes, ...] = (),
        sample: int = 0,
    ) -> Question:
        """What one persona is asked about one picture: the picture itself, or its description."""
        offered = {
            **vars(short_portrait(persona)),
            "wish": wish,
            "description": description,
            "waited_s": _wait(waited_s),
            "patience_s": _seconds(persona.patience_s),
            "levels": ", ".join(self.levels.labels),
            "meaning": self.levels.meaning,
        }
        values = {name: offered[name] for name in self.prompt.variables}
        rendered = self.prompt.render(values, answer=self.answer)
        schema = answer_schema(self.levels) if self.answer == "json" else None
        return Question(rendered.system, rendered.user, pictures, schema, sample)


def judge_prompt(name: str, folder: Path | None = None) -> JudgePrompt:
    """The template `name` of a folder, by default the shipped one. Raises `PromptFileError`."""
    return load_prompt(name, folder, offered=OFFERED)


@cache
def answer_model(levels: Levels) -> type[BaseModel]:
    """What a JSON answer must be: one key with a label of the scale, in any case, and no other."""

    def as_listed(said: str) -> str:
        for label in levels.labels:
            if label.casefold() == said.casefold():
                return label
        raise ValueError(f"must be one of {', '.join(levels.labels)}, not {said[:40]!r}")

    enum = Field(json_schema_extra={"enum": list(levels.labels)})
    label = Annotated[str, AfterValidator(as_listed), enum]
    model: type[BaseModel] = create_model(
        "Opinion",
        __config__=ConfigDict(extra="forbid", frozen=True),
        **{ANSWER_KEY: (label, ...)},  # type: ignore[call-overload]
    )
    return model


@cache
def answer_schema(levels: Levels) -> str:
    """The JSON schema of `answer_model`, for endpoints that hold a model to one."""
    return json.dumps(answer_model(levels).model_json_schema())


def _wait(seconds: float) -> str:
    shown = _seconds(seconds)
    return "" if shown == "0" else shown


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")
