"""The judge that is a vision-language model on this machine, playing each persona.

It is asked in the words of the VLM judge and read by the probabilities of the levels where its
answer begins: one forward answers a batch of questions, and nothing is generated.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import Case, Deadline, Opinions
from qoe_service.judges.chat import CANARY_PERSONA, CANARY_WISH, HEARD_LATELY_S
from qoe_service.judges.inquiry import Ask, Inquiry
from qoe_service.judges.local_model import LocalModel, load_local_model
from qoe_service.judges.local_questioning import LocalQuestioning
from qoe_service.judges.opinion_store import Keys, OpinionStore
from qoe_service.judges.parts import Parts
from qoe_service.judges.perception import Shown
from qoe_service.judges.probe import manners
from qoe_service.judges.questions import Asking, judge_prompt
from qoe_service.personas import Persona
from qoe_service.prompts import JudgePrompt

READING_VERSION = 1
"""Part of every key: raise it when questions are put, or answers read, differently."""

CHECK_MS = 30_000
"""A canary that takes longer means that the judge is stuck."""


class LocalVlmJudge:
    """Asks one model what each persona thinks of each case. Thread-safe.

    Args:
        max_batch: most questions in one forward.
        window_s: how long a forward waits for company.
    """

    tier = "local_vlm"
    calibration = None
    interview = None

    def __init__(
        self,
        model: LocalModel,
        *,
        template: JudgePrompt,
        cache: VectorCache,
        max_batch: int,
        window_s: float,
    ) -> None:
        self.name, self.revision, self.prompt = model.name, model.revision, template.tag
        self._model, self._perception = model, Shown()
        self._manner = next(manner for manner in manners() if manner.levels is model.levels)
        self.extraction = self._manner.extraction
        self._asking = Asking(template, levels=model.levels)
        self._keys = Keys(_dependencies(model, template))
        self._store = OpinionStore(cache)
        self._questioning = LocalQuestioning(
            model, self._store, max_batch=max_batch, window_s=window_s
        )

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case on which the whole panel is heard."""
        inquiry = Inquiry(
            cases,
            panel,
            self._perception.of(cases, deadline),
            asking=self._asking,
            keys=self._keys,
            manner=self._manner,
        )
        missing = inquiry.missing(self._store.known(inquiry.keys))
        forwards = self._questioning.ask_all(missing, inquiry, deadline)
        if missing:
            self._store.written(deadline.left_s)
        return inquiry.opinions(forwards=forwards, tokens=0)

    def check(self) -> None:
        """Hear a canary judged, unless the model has just answered. Raises `JudgeUnavailable`."""
        if time.monotonic() - self._questioning.heard_s < HEARD_LATELY_S:
            return
        question = self._asking.question(CANARY_PERSONA, wish=CANARY_WISH)
        canary = Ask("canary", question, self._perception.canary())
        self._questioning.ask_canary(canary, Deadline.after_ms(CHECK_MS))

    def close(self) -> None:
        """Finish the batch that is running, write down what was answered, free the model."""
        self._questioning.close()
        self._store.close()
        self._model.close()


def create_local_vlm_judge(parts: Parts) -> LocalVlmJudge:
    """The judge that the settings describe; it owns the model and the cache.

    Raises:
        JudgeUnavailable: if no model is named, or it cannot be loaded.
        PromptFileError: if the template is wrong.
    """
    settings = parts.settings
    if settings.local_vlm_model is None:
        raise JudgeUnavailable("no model is named; set QOE_LOCAL_VLM_MODEL")
    template = judge_prompt("judge-image", settings.prompts)
    return LocalVlmJudge(
        load_local_model(settings.local_vlm_model, settings.device),
        template=template,
        cache=parts.cache,
        max_batch=settings.local_vlm_batch,
        window_s=settings.batch_window_s,
    )


def _dependencies(model: LocalModel, template: JudgePrompt) -> object:
    return {
        "model": model.name,
        "revision": model.revision,
        "precision": model.precision,
        "levels": model.levels.labels,
        "reading": READING_VERSION,
        "template": template.tag,
    }
