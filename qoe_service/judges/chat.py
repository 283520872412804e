"""The judge that is a chat model playing each persona: what `vlm` and `llm` have in common.

    perceive -> render -> key -> known? -> ask what is not -> read -> keep at once -> compose

A picture's panel is judged whole or not at all, but what was answered stays known, so that the
next request asks only for what is missing. It can be looked up while the model is away, after a
restart too: in the manner in which it was asked last.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import Case, Deadline, Failure, Opinions, no_opinions, run_of
from qoe_service.judges.endpoint import Endpoint, Meter, endpoint_of
from qoe_service.judges.inquiry import Ask, Inquiry
from qoe_service.judges.manner_memory import MannerMemory
from qoe_service.judges.opinion_store import OpinionStore
from qoe_service.judges.parts import Parts
from qoe_service.judges.perception import Perception
from qoe_service.judges.probe import AWAY, Manner, Probe, manners
from qoe_service.judges.questioning import STATUS, Questioning
from qoe_service.judges.questions import TEMPLATES, judge_prompt
from qoe_service.judges.tier_map_file import chat_identity
from qoe_service.personas import Persona
from qoe_service.prompts import JudgePrompt
from qoe_service.provider import CallFailed
from qoe_service.provider.breaker import Circuit
from qoe_service.schemas import TRAITS, InterviewVerdict, Status, Traits

CHECK_MS = 10_000
"""A canary that takes longer means that the judge is stuck."""

HEARD_LATELY_S = 30.0
"""An answer this fresh shows that the model answers; a health check then costs no tokens."""

CANARY_WISH = "an evening sky"
CANARY_PERSONA = Persona(
    id="canary",
    name="Robin",
    about="Somebody.",
    traits=Traits(**dict.fromkeys(TRAITS, 0.0)),
    norm="sapa-bfi25-adults",
)


class ChatJudge:
    """Asks one endpoint what each persona thinks of each case. Thread-safe.

    It is not asked for anything before it is needed. Then a probe finds out how it must be asked;
    while the model is away the judge has no opinions, and tries again later.

    Args:
        tier: its rung of the ladder.
        perception: how it comes to know a picture.
        candidates: the manners in which the endpoint may be asked, best first.
        interview: what came of interviewing it.
        rest_s: how long a probe that failed is not repeated.
    """

    calibration = None

    def __init__(
        self,
        tier: str,
        endpoint: Endpoint,
        *,
        perception: Perception,
        template: JudgePrompt,
        cache: VectorCache,
        candidates: tuple[Manner, ...],
        interview: InterviewVerdict | None = None,
        rest_s: float = 2.0,
    ) -> None:
        self.tier, self.name = tier, endpoint.model.name
        self.revision, self.prompt = endpoint.model.address, template.tag
        self.interview = interview
        self._endpoint, self._perception = endpoint, perception
        self._store = OpinionStore(cache)
        self._questionings = {
            manner: Questioning(manner, endpoint, template, self._store) for manner in candidates
        }
        memory = MannerMemory(self._store, endpoint.model, template, candidates)
        self._probe = Probe(
            self._judge_canary,
            candidates,
            latest=memory.recall(),
            remember=memory.remember,
            rest_s=rest_s,
        )

    @property
    def extraction(self) -> str:
        """How a score is read; not known before the model was first asked."""
        return "unknown" if self._probe.latest is None else self._probe.latest.extraction

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case on which the whole panel is heard."""
        meter = Meter()
        try:
            return self._opinions(cases, panel, deadline, meter)
        except CallFailed as failure:
            why = _failure(failure)
        except JudgeUnavailable as error:
            why = Failure(Status.JUDGE_UNAVAILABLE, str(error))
        nothing = no_opinions(len(cases), len(panel), why)
        return replace(nothing, forwards=meter.calls, tokens=meter.tokens)

    def check(self) -> None:
        """Hear a canary judged, unless the model has just answered. Raises `JudgeUnavailable`."""
        closed = self._endpoint.gates.breaker.state is Circuit.CLOSED
        heard_s = max(questioning.heard_s for questioning in self._questionings.values())
        if closed and time.monotonic() - heard_s < HEARD_LATELY_S:
            return
        deadline = Deadline.after_ms(CHECK_MS)
        try:
            self._endpoint.run(partial(self._check, deadline), deadline, Meter())
        except CallFailed as failure:
            raise JudgeUnavailable(failure.reason) from failure

    def close(self) -> None:
        """Cancel what is being asked, write down what was answered."""
        self._endpoint.close()
        self._store.close()
        self._perception.close()

    def _opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline, meter: Meter
    ) -> Opinions:
        known, old = None, self._probe.latest
        if self._probe.found is None and old is not None:
            known = self._inquiry(old, cases, panel, deadline)
            if not known.missing(self._store.known(known.keys)):
                return known.opinions(forwards=0, tokens=0)
        try:
            manner = self._probe.found or self._endpoint.run(
                partial(self._probe.manner, deadline), deadline, meter
            )
        except CallFailed as failure:
            if known is None:
                raise
            known.fail_rest(_failure(failure))
            return known.opinions(forwards=meter.calls, tokens=meter.tokens)
        return self._heard(manner, cases, panel, deadline, meter)

    def _heard(
        self,
        manner: Manner,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        deadline: Deadline,
        meter: Meter,
    ) -> Opinions:
        """Look up what is known and ask for the rest; there is what came in time."""
        inquiry = self._inquiry(manner, cases, panel, deadline)
        missing = inquiry.missing(self._store.known(inquiry.keys))
        late = deadline.too_soon_for(self._endpoint.gates.limiter.predicted_wait_s)
        if missing and late is not None:
            inquiry.fail_rest(late)
        elif missing:
            self._ask(manner, missing, inquiry, deadline, meter, run_of(cases))
        if inquiry.nothing_was_readable:
            self._probe.forget()  # another model may stand there now
        return inquiry.opinions(forwards=meter.calls, tokens=meter.tokens)

    def _inquiry(
        self, manner: Manner, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Inquiry:
        questioning = self._questionings[manner]
        return Inquiry(
            cases,
            panel,
            self._perception.of(cases, deadline),
            asking=questioning.asking,
            keys=questioning.keys,
            manner=manner,
        )

    def _ask(
        self,
        manner: Manner,
        missing: Sequence[Ask],
        inquiry: Inquiry,
        deadline: Deadline,
        meter: Meter,
        run: str,
    ) -> None:
        """The inquiry learns each answer as it comes."""
        ask_all = partial(self._questionings[manner].ask_all, missing, inquiry, deadline, run)
        try:
            self._endpoint.run(ask_all, deadline, meter)
        except CallFailed as failure:
            inquiry.fail_rest(_failure(failure))
        self._store.written(deadline.left_s)

    async def _check(self, deadline: Deadline) -> None:
        before_s = time.monotonic()
        manner = await self._probe.manner(deadline)
        if self._questionings[manner].heard_s >= before_s:
            return  # it was found just now, by a canary
        try:
            await self._judge_canary(manner, deadline)
        except CallFailed as failure:
            if failure.kind in AWAY:
                raise
            self._probe.forget()  # another model may stand there now
            await self._probe.manner(deadline)

    async def _judge_canary(self, manner: Manner, deadline: Deadline) -> None:
        questioning, percept = self._questionings[manner], self._perception.canary()
        question = questioning.asking.question(
            CANARY_PERSONA,
            wish=CANARY_WISH,
            description=percept.description,
            pictures=percept.pictures,
        )
        await questioning.ask_canary(question, deadline)


def create_chat_judge(tier: str, perception: Perception, parts: Parts) -> ChatJudge:
    """The judge that the settings describe; it owns the perception and the cache.

    Raises:
        JudgeUnavailable: if no model is named, or it cannot be set up.
        PromptFileError: if the template is wrong.
        InterviewFileError: if the file of interviews is damaged.
    """
    candidates = manners(parts.settings.samples)
    endpoint = endpoint_of(
        parts.settings,
        tier,
        [manner.decoding for manner in candidates],
        budget=parts.budget,
        free_budget=parts.free_budget,
    )
    prompt = judge_prompt(TEMPLATES[tier], parts.settings.prompts)
    return ChatJudge(
        tier,
        endpoint,
        perception=perception,
        template=prompt,
        cache=parts.cache,
        candidates=candidates,
        interview=parts.interviews.verdict(chat_identity(tier, endpoint.model, prompt)),
    )


def _failure(failure: CallFailed) -> Failure:
    return Failure(STATUS[failure.kind], failure.reason)
