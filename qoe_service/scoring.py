"""THE path: decode, key, cache, ladder, aggregate.

`Scorer` is the service in process; the REST API is this class behind HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qoe_service.decoded import DecodedPictures
from qoe_service.errors import (
    BadImage,
    BadRatings,
    BadStack,
    DuplicateId,
    TooManyItems,
    UnusableRatings,
)
from qoe_service.images import ImageLimits, Picture, checked, decode_base64
from qoe_service.judges import Case, Deadline, Failure
from qoe_service.judges.ladder import Bench
from qoe_service.judges.overlay import Overlays
from qoe_service.panel import Panel, choose_panel
from qoe_service.personas import Persona, Registry
from qoe_service.population_registry import Populations
from qoe_service.replies import Answers, answers_of, rewards_reply, score_reply
from qoe_service.reports.messages import MosReport, ReportRequest
from qoe_service.schemas import (
    JudgeInfo,
    Readiness,
    RewardsReply,
    RewardsRequest,
    ScoreReply,
    ScoreRequest,
    Status,
)
from qoe_service.settings import Settings


class Scorer:
    """Scores pictures in process. Thread-safe: many requests may run at the same time."""

    def __init__(
        self,
        bench: Bench,
        registry: Registry,
        *,
        limits: ImageLimits | None = None,
        max_items: int = 256,
        max_prompt_characters: int = 2_000,
        default_deadline_ms: int | None = None,
    ) -> None:
        self._bench = bench
        self._registry = registry
        self._populations = Populations(registry.folder)
        self._limits = limits or ImageLimits()
        self._decoded = DecodedPictures(self._limits)
        self._overlays = Overlays()
        self._max_items = max_items
        self._max_prompt_characters = max_prompt_characters
        self._default_deadline_ms = default_deadline_ms

    @classmethod
    def from_settings(cls, settings: Settings) -> Scorer:
        """A scorer with the judges, personas, cache and limits that the settings name."""
        from qoe_service.judges.build import build_bench

        return cls(
            build_bench(settings),
            Registry(settings.personas),
            limits=image_limits(settings),
            max_items=settings.max_items,
            max_prompt_characters=settings.max_prompt_characters,
            default_deadline_ms=settings.default_deadline_ms,
        )

    def score(self, request: ScoreRequest) -> ScoreReply:
        """Every persona's judgment of every item, with provenance.

        Raises:
            RequestError: if the request is wrong as a whole (duplicate ids, too many items, a
                panel larger than the registry, an unknown population or tier).
        """
        deadline = self._deadline(request.deadline_ms)
        items = request.items
        self._check_count(len(items))
        _check_distinct([item.id for item in items])
        panel = self._panel(request.personas, request.panel, request.population)
        cases = [
            self._admit(
                partial(self._decode, item.image),
                item.prompt,
                deadline,
                group_id=item.group_id,
                delay_s=item.context.delay_s,
                run_id=request.run_id,
            )
            for item in items
        ]
        answers = self._answers(cases, panel, tier=request.tier, deadline=deadline)
        return score_reply([item.id for item in items], answers)

    def rewards(
        self,
        pictures: NDArray[np.uint8],
        prompts: Sequence[str],
        *,
        personas: Sequence[str | Persona] | None = None,
        panel: int | None = None,
        population: str | None = None,
        deadline_ms: int | None = None,
        tier: str | None = None,
        run_id: str | None = None,
    ) -> RewardsReply:
        """Rewards in [0, 1] or null for a stack of pictures, uint8 (N, H, W, 3), and N prompts.

        Raises:
            RequestError: if the request is wrong as a whole.
        """
        deadline = self._deadline(deadline_ms)
        _check_stack(pictures, prompts)
        self._check_count(len(prompts))
        people = self._panel(personas, panel, population)
        cases = [
            self._admit(partial(checked, pixels, self._limits), prompt, deadline, run_id=run_id)
            for pixels, prompt in zip(pictures, prompts, strict=True)
        ]
        return rewards_reply(self._answers(cases, people, tier=tier, deadline=deadline))

    def rewards_of_files(self, request: RewardsRequest) -> RewardsReply:
        """The same for picture files in base64, as the JSON form of `POST /v1/rewards` has them.

        Raises:
            RequestError: if the request is wrong as a whole.
        """
        deadline = self._deadline(request.deadline_ms)
        self._check_count(len(request.items))
        panel = self._panel(request.personas, request.panel, request.population)
        cases = [
            self._admit(
                partial(self._decode, item.image), item.prompt, deadline, run_id=request.run_id
            )
            for item in request.items
        ]
        answers = self._answers(cases, panel, tier=request.tier, deadline=deadline)
        return rewards_reply(answers)

    def report(self, request: ReportRequest) -> MosReport:
        """What the ratings of a request say, and for the rest why they cannot.

        Raises:
            RequestError: if the ratings are no table, nothing at all can be said of them, or no
                population has the name given.
        """
        from qoe_service.reports.asked import study_of
        from qoe_service.reports.report import make_report

        people = dict(self._registry.by_id())
        if request.population is not None:
            population = self._populations.get(request.population)
            people |= {persona.id: persona for persona in population.personas}
        try:
            return make_report(study_of(request, people))
        except UnusableRatings as error:
            raise BadRatings(str(error)) from None

    def personas(self) -> tuple[Persona, ...]:
        """Everybody who can be on a panel."""
        return self._registry.all()

    def judges(self) -> tuple[JudgeInfo, ...]:
        """The rungs of the ladder, best first, each having judged its canary just now."""
        return self._bench.infos()

    def readiness(self) -> Readiness:
        """Whether every tier, some tier or no tier can judge."""
        tiers = self.judges()
        able = sum(tier.ready for tier in tiers)
        if able == len(tiers):
            return Readiness(status="ready", tiers=tiers)
        return Readiness(status="degraded" if able else "unavailable", tiers=tiers)

    def close(self) -> None:
        """Give back threads and files; waits for what is being judged."""
        self._bench.close()
        self._overlays.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _deadline(self, asked_ms: int | None) -> Deadline:
        return Deadline.after_ms(self._default_deadline_ms if asked_ms is None else asked_ms)

    def _panel(
        self, asked: Sequence[str | Persona] | None, size: int | None, population: str | None
    ) -> Panel:
        drawn_from = None if population is None else self._populations.get(population)
        return choose_panel(self._registry, asked, size, drawn_from)

    def _check_count(self, count: int) -> None:
        if count > self._max_items:
            raise TooManyItems(
                f"{count} items; one request may hold {self._max_items}, send them in several"
            )

    def _decode(self, image: str) -> Picture:
        return self._decoded.picture(decode_base64(image))

    def _admit(
        self,
        read: Callable[[], Picture],
        prompt: str,
        deadline: Deadline,
        *,
        group_id: str | None = None,
        delay_s: float = 0.0,
        run_id: str | None = None,
    ) -> Case | Failure:
        """The case of one item, or why it is none."""
        if self._bench.reading_until(deadline).passed:
            return Failure(Status.DEADLINE, "the deadline passed before the picture was read")
        wrong = self._wrong_with(prompt)
        if wrong is not None:
            return Failure(Status.BAD_PROMPT, wrong)
        try:
            return Case(read(), prompt, group_id, delay_s, run_id)
        except BadImage as error:
            return Failure(Status.BAD_IMAGE, str(error))

    def _wrong_with(self, prompt: str) -> str | None:
        if not prompt.strip():
            return "empty prompt; say what the picture was asked to show"
        if len(prompt) > self._max_prompt_characters:
            return (
                f"prompt of {len(prompt)} characters; at most {self._max_prompt_characters} "
                "are accepted, shorten it"
            )
        if not _is_unicode(prompt):
            return "prompt is not valid Unicode (lone surrogate); send it as UTF-8"
        return None

    def _answers(
        self,
        admitted: Sequence[Case | Failure],
        panel: Panel,
        *,
        tier: str | None,
        deadline: Deadline,
    ) -> Answers:
        failures = {i: case for i, case in enumerate(admitted) if isinstance(case, Failure)}
        cases = {i: case for i, case in enumerate(admitted) if isinstance(case, Case)}
        readable = tuple(cases)
        looking = self._overlays.look([case.picture for case in cases.values()])
        if not panel.personas:
            nobody = Failure(Status.UNKNOWN_PERSONA, "none of the personas asked for is known")
            failures, cases = dict.fromkeys(cases, nobody) | failures, {}
        verdicts = self._bench.verdicts(
            list(cases.values()), panel.personas, tier=tier, deadline=deadline
        )
        overlays = dict(zip(readable, looking.flags(deadline), strict=True))
        return answers_of(
            panel, verdicts, rows=list(cases), refused=failures, text_overlays=overlays
        )


def image_limits(settings: Settings) -> ImageLimits:
    """What a picture file may be."""
    return ImageLimits(
        max_bytes=settings.max_image_bytes,
        max_pixels=settings.max_pixels,
        min_side=settings.min_side,
    )


def _check_distinct(ids: Sequence[str]) -> None:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise DuplicateId(f"items share an id: {', '.join(twice)}; give each its own")


def _check_stack(pictures: NDArray[np.uint8], prompts: Sequence[str]) -> None:
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise BadStack(
            f"pictures are {pictures.dtype} {pictures.shape}; expected uint8 (N, height, "
            "width, 3); scale floats to 0..255 and keep three channels"
        )
    if len(pictures) != len(prompts):
        raise BadStack(f"{len(pictures)} pictures for {len(prompts)} prompts; give one for each")
    if len(prompts) == 0:
        raise BadStack("no pictures; give at least one")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
