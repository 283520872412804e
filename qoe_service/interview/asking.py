"""What a persona is asked in an interview: one statement at a time, in the judge's own portrait.

Each statement is a call of its own, so that no answer colours another and their order is nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

from qoe_service.errors import QoEError
from qoe_service.interview.instruments import Instrument
from qoe_service.judges.endpoint import Decoding
from qoe_service.judges.persona_text import Portrait, short_portrait
from qoe_service.judges.probe import Manner
from qoe_service.judges.questions import TEMPLATES, Levels, answer_schema, judge_prompt
from qoe_service.persona import Persona
from qoe_service.prompt_files import load_prompt
from qoe_service.prompts import JudgePrompt
from qoe_service.provider import Question

TEMPLATE = "interview-item"

PORTRAIT = frozenset(field.name for field in fields(Portrait))

OFFERED = PORTRAIT | {"statement", "again", "levels", "meaning"}
"""The variables that the interview's template may use."""

ADMINISTRATIONS = 2
"""The second one in other words, its options listed from the other end: it tells the retest."""

_PORTRAIT_TAG = re.compile(r"\{\{\{\s*(\w+)\s*\}\}\}")


class OtherPortrait(QoEError):
    """The interview would tell a persona otherwise than the judge does."""


@dataclass(frozen=True)
class ItemAsking:
    """How statements are put in one manner."""

    prompt: JudgePrompt
    manner: Manner

    def question(self, persona: Persona, statement: str, administration: int = 0) -> Question:
        """What one persona is asked about one statement, for the first or the second time."""
        levels = self.manner.levels if administration == 0 else _turned(self.manner.levels)
        offered = {
            **vars(short_portrait(persona)),
            "statement": statement,
            "again": "again" if administration else "",
            "levels": ", ".join(levels.labels),
            "meaning": levels.meaning,
        }
        values = {name: offered[name] for name in self.prompt.variables}
        rendered = self.prompt.render(values, answer=self.manner.answer)
        schema = answer_schema(levels) if self.manner.answer == "json" else None
        return Question(rendered.system, rendered.user, schema=schema)


def manners_of(instrument: Instrument) -> tuple[Manner, ...]:
    """Every manner, best first: the likelihood of each option, else an answer by a schema.

    The options begin with the same words (very, moderately), so their likelihoods are read off
    digits. All at temperature 0, but for models that let nobody change it.
    """
    phrases = tuple(reversed(instrument.options))
    words = Levels(phrases)
    meaning = ", ".join(f"{5 - place} is {phrase}" for place, phrase in enumerate(phrases))
    digits = Levels(("5", "4", "3", "2", "1"), meaning=meaning)
    asked = Decoding(log_probabilities=False)
    own = Decoding(log_probabilities=False, temperature=None, max_tokens=None)
    return (
        Manner("probabilities of digits", "logprobs", "level", digits, Decoding(True)),
        Manner("structured answers", "structured", "json", words, asked),
        Manner("structured, own decoding", "structured", "json", words, own),
    )


def interview_prompt(folder: Path | None = None) -> JudgePrompt:
    """The template of a folder, or the shipped one if that has none. Raises `PromptFileError`."""
    own = folder if folder is not None and (folder / f"{TEMPLATE}.md").exists() else None
    return load_prompt(TEMPLATE, own, offered=OFFERED)


def judge_template(tier: str, folder: Path | None = None) -> JudgePrompt:
    """In which words the judge of a tier is asked about pictures. Raises `PromptFileError`."""
    return judge_prompt(TEMPLATES[tier], folder)


def check_same_portrait(interview: JudgePrompt, judge: JudgePrompt) -> None:
    """Make sure that a persona is told in an interview what it is told when it judges.

    Raises:
        OtherPortrait: naming the first line that is told in one of them alone.
    """
    told, judged = _portrait_lines(interview), _portrait_lines(judge)
    for line in (*told, *judged):
        if line not in told or line not in judged:
            raise OtherPortrait(
                f"{judge.tag} and {interview.tag} tell personas who they are in different words "
                f"({line!r}); give {TEMPLATE}.md the same lines, beside {judge.id}.md"
            )


def _portrait_lines(prompt: JudgePrompt) -> list[str]:
    return [
        line
        for line in prompt.system.text.splitlines()
        if PORTRAIT & set(_PORTRAIT_TAG.findall(line))
    ]


def _turned(levels: Levels) -> Levels:
    meaning = ", ".join(reversed(levels.meaning.split(", "))) if levels.meaning else ""
    return Levels(tuple(reversed(levels.labels)), tuple(reversed(levels.grades)), meaning)
