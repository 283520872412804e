"""The wire contract: what a caller sends and what comes back.

Every reply has the length and the order of its request. A failure is a `null` with a `Status`,
never a number.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from qoe_service.persona import ID_PATTERN, Persona
from qoe_service.persona import TRAITS as TRAITS
from qoe_service.persona import Traits as Traits
from qoe_service.wire import Wire as Wire

LOWEST_SCORE, HIGHEST_SCORE = 1.0, 5.0
"""The ends of the ITU-T five-grade scale: 1 bad, 2 poor, 3 fair, 4 good, 5 excellent."""


MAX_PANEL = 256
"""Personas that one request may name, or have drawn from a population."""


class Status(StrEnum):
    """Why an answer is what it is. Only `ok` carries a number."""

    OK = "ok"
    BAD_IMAGE = "bad_image"
    BAD_PROMPT = "bad_prompt"
    UNKNOWN_PERSONA = "unknown_persona"
    JUDGE_UNAVAILABLE = "judge_unavailable"
    DEADLINE = "deadline"
    OUT_OF_DOMAIN = "out_of_domain"
    REFUSED = "refused"
    UNREADABLE_ANSWER = "unreadable_answer"
    OVER_BUDGET = "over_budget"


class Context(Wire):
    """The circumstances in which a picture was experienced."""

    delay_s: float = Field(default=0.0, ge=0)


class Item(Wire):
    """One picture to be judged for the prompt that asked for it."""

    id: str = Field(min_length=1, max_length=200)
    image: str = Field(description="The picture file, base64.")
    prompt: str
    group_id: str | None = None
    context: Context = Context()


def _name_or_person(given: object) -> str:
    return "name" if isinstance(given, str) else "inline"


PersonaChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[Persona, Tag("inline")], Discriminator(_name_or_person)
]
"""The id of a persona that the service has, or a whole persona that it has not."""


class PanelRequest(Wire):
    """Who judges: personas, or a panel drawn from all or a population; all if neither is given."""

    personas: tuple[PersonaChoice, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_PANEL,
        description="Ids, or whole personas for this request alone.",
    )
    panel: int | None = Field(default=None, ge=1, description="Draw so many, balanced.")
    population: str | None = Field(
        default=None, pattern=ID_PATTERN, description="Of this population, not of all personas."
    )
    deadline_ms: int | None = Field(default=None, ge=1)
    tier: str | None = Field(default=None, description="Force one tier; null: the ladder decides.")
    run_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Whose budget of tokens and money is charged, and whose record is kept.",
    )

    @model_validator(mode="after")
    def _one_way_to_name_the_judges(self) -> Self:
        if self.personas is not None and self.panel is not None:
            raise ValueError("give either 'personas' or 'panel', not both")
        if self.personas is not None and self.population is not None:
            raise ValueError("give either 'personas' or 'population', not both")
        return self


class ScoreRequest(PanelRequest):
    """`POST /v1/score`."""

    items: tuple[Item, ...] = Field(min_length=1)


InterviewVerdict = Literal["holds", "fails"]
"""Whether a judge played its personas when it was interviewed as each of them."""


class Provenance(Wire):
    """Enough to say, later, exactly what produced a score."""

    judge: str
    revision: str
    prompt: str | None = Field(description="Judge template, id@version+sha; null if none was used.")
    persona: str = Field(description="Hash of the persona's content.")
    calibration: str | None
    interview: InterviewVerdict | None = Field(
        default=None,
        description="Whether this judge plays its personas, as `qoe personas interview` found; "
        "null if it was not interviewed.",
    )


class Judgment(Wire):
    """One persona's opinion of one picture."""

    persona: str
    status: Status
    score: float | None = Field(default=None, ge=LOWEST_SCORE, le=HIGHEST_SCORE)
    reward: float | None = Field(default=None, ge=0, le=1)
    se: float | None = Field(default=None, ge=0)
    tier: str | None = None
    extraction: str | None = None
    cached: bool = False
    reason: str | None = None
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _only_ok_has_a_number(self) -> Self:
        numbers = (self.score, self.reward, self.se)
        if self.status is Status.OK and None in numbers:
            raise ValueError("a judgment that is ok needs score, reward and se")
        if self.status is not Status.OK and any(number is not None for number in numbers):
            raise ValueError(f"a judgment that is {self.status} must not carry a number")
        return self


class MeanOpinionScore(Wire):
    """The panel's mean opinion with its 95 % interval, over the judgments that are ok."""

    mean: float
    low: float
    high: float
    n: int = Field(ge=1)


class Result(Wire):
    """What the panel thinks of one item. `status` is `ok` if at least one judgment is."""

    id: str
    status: Status
    reward: float | None
    mos: MeanOpinionScore | None
    judgments: tuple[Judgment, ...]
    reason: str | None = None
    text_overlay: bool | None = Field(
        default=None,
        description="Whether writing seems to be laid over the picture, which may be trying to "
        "talk to the judge; null if it could not be read, or there was no time to look.",
    )


class Usage(Wire):
    """What answering cost."""

    judgments: int = 0
    cached: int = 0
    failed: int = 0
    provider_calls: int = 0
    tokens: int = 0


class EffectShares(Wire):
    """Whence the variance of scores comes, as shares that sum to 1.

    picture: what all agree on. persona: who rates higher throughout. interaction: who likes what,
    inconsistency included.
    """

    picture: float = Field(ge=0, le=1)
    persona: float = Field(ge=0, le=1)
    interaction: float = Field(ge=0, le=1)


class ScoreReply(Wire):
    """The reply to `POST /v1/score`."""

    results: tuple[Result, ...]
    usage: Usage
    effects: EffectShares | None = Field(
        default=None,
        description="The effect budget of this batch, over the pictures that were judged; null for "
        "fewer than three pictures or personas, scores of several judges, or scores that do not "
        "differ. `POST /v1/report` has it with intervals.",
    )


class RewardItem(Wire):
    """One picture of a compact JSON request; in an npy request the pictures travel as a stack."""

    image: str = Field(description="The picture file, base64.")
    prompt: str


class RewardsRequest(PanelRequest):
    """`POST /v1/rewards` as JSON: pictures and prompts in, numbers or nulls out."""

    items: tuple[RewardItem, ...] = Field(min_length=1)


class StackRequest(PanelRequest):
    """The JSON part beside an `application/x-npy` stack of uint8 pictures (N, H, W, 3)."""

    prompts: tuple[str, ...] = Field(min_length=1)


class RewardsReply(Wire):
    """Rewards in [0, 1] or null: per item the panel's mean, and per item each persona's own.

    `rewards[i]` is the mean over the non-null entries of `by_persona[i]`, whose columns follow
    `personas`. `statuses[i]` says why `rewards[i]` is null. `text_overlays[i]` tells whether
    writing seems to be laid over the picture, as `Result.text_overlay` does.
    """

    personas: tuple[str, ...]
    rewards: tuple[Annotated[float, Field(ge=0, le=1)] | None, ...]
    by_persona: tuple[tuple[float | None, ...], ...]
    statuses: tuple[Status, ...]
    usage: Usage
    text_overlays: tuple[bool | None, ...] = ()


class JudgeInfo(Wire):
    """One rung of the ladder, as `GET /v1/judges` tells it."""

    tier: str
    judge: str
    revision: str
    ready: bool
    reason: str | None = None
    calibration: str | None = Field(default=None, description="What its scale was fitted on.")
    own_scale: str | None = Field(
        default=None,
        description="Why its scores are not on the first judge's scale; null if they are.",
    )
    interview: InterviewVerdict | None = Field(
        default=None, description="Whether it plays its personas; null if nobody has asked it."
    )


class Readiness(Wire):
    """`GET /health/ready`: a canary picture scored by every tier."""

    status: Literal["ready", "degraded", "unavailable"]
    tiers: tuple[JudgeInfo, ...]
