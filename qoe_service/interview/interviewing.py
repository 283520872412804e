"""An interview from its settings to its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from qoe_service.errors import QoEError
from qoe_service.interview.administering import Heard, create_interviewer
from qoe_service.interview.asking import (
    check_same_portrait,
    interview_prompt,
    judge_template,
)
from qoe_service.interview.instruments import Instrument
from qoe_service.interview.report import Interview, report
from qoe_service.interview.wording import check_adjectives
from qoe_service.judges import Deadline
from qoe_service.judges.endpoint import model_of
from qoe_service.judges.parts import Parts
from qoe_service.judges.questions import TEMPLATES
from qoe_service.judges.tier_map_file import JudgeIdentity, chat_identity
from qoe_service.persona import Persona
from qoe_service.settings import Settings

NO_LANGUAGE = "computes its opinions from a table of published effects and understands no statement"
WHY_NOT = {
    "clip": NO_LANGUAGE,
    "pixel": NO_LANGUAGE,
    "local_vlm": "is asked with a picture only; serve its model at an OpenAI-compatible address "
    "and name it as QOE_VLM_MODEL",
}


class NotToBeInterviewed(QoEError):
    """There is nobody to talk to in this tier; the text says why."""


def interview(
    settings: Settings,
    tier: str,
    personas: Sequence[Persona],
    instrument: Instrument,
    *,
    run: str,
    deadline: Deadline,
    heard: Heard = lambda count: None,
) -> Interview:
    """Interview the judge of a tier as every one of the personas.

    Raises:
        NotToBeInterviewed: if the tier has no language.
        JudgeUnavailable: if no model is named for it, or it can be asked in no way.
        InstrumentError: if personas are told words that the instrument tests them by.
        OtherPortrait: if the interview's template describes a persona otherwise than the judge's.
        PromptFileError: if a template is wrong.
    """
    judge = judge_to_be(settings, tier)
    check_adjectives(instrument)
    template = interview_prompt(settings.prompts)
    check_same_portrait(template, judge_template(tier, settings.prompts))
    with closing(create_interviewer(Parts(settings), tier, instrument, template)) as interviewer:
        sheets = interviewer.administer(personas, run=run, deadline=deadline, heard=heard)
    return report(judge, instrument, personas, sheets, template=template.tag)


def judge_to_be(settings: Settings, tier: str) -> JudgeIdentity:
    """Whom the verdict is about: model, address and the words in which it is given a persona.

    Raises:
        NotToBeInterviewed: if the tier has no language.
        JudgeUnavailable: if no model is named.
        PromptFileError: if the judge's template is wrong.
    """
    if tier not in TEMPLATES:
        able = " or ".join(TEMPLATES)
        why = WHY_NOT.get(tier, "is no judge of this service")
        raise NotToBeInterviewed(f"{tier} cannot be interviewed: it {why}; {able} can")
    return chat_identity(tier, model_of(settings, tier), judge_template(tier, settings.prompts))
