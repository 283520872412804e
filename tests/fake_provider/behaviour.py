"""How the fake provider is to behave, and the wire form by which another process tells it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from tests.fake_provider.misbehaviour import Misbehaviour, Mix
from tests.fake_provider.moods import Mood


class Behaviour(BaseModel):
    """Everything that can be told to the provider and stays so until told otherwise.

    mix: as JSON {"busy": 0.1, "hang": 0.02}.
    service_time_s: how long the model thinks about a call.
    concurrency_limit: calls in flight beyond this many are answered 429.
    retry_after_s: what 429 with Retry-After says, and the concurrency limit's 429.
    rest_mass: probability of the first token being no level at all.
    drip_interval_s: between two bytes of a slow reply.
    huge_bytes: the size of a huge reply.
    token_letters: how many letters of a level's word its first token holds; None for all of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mix: Mix = Mix()
    mood: Mood = Mood.HONEST
    service_time_s: float = Field(default=0.0, ge=0)
    concurrency_limit: int | None = Field(default=None, ge=0)
    retry_after_s: float = Field(default=1.0, ge=0)
    rest_mass: float = Field(default=0.02, gt=0, lt=1)
    drip_interval_s: float = Field(default=0.2, gt=0)
    huge_bytes: int = Field(default=6_000_000, ge=1)
    token_letters: int | None = Field(default=None, ge=1)

    @field_validator("mix", mode="before")
    @classmethod
    def _mix_of_json(cls, given: object) -> object:
        return given if isinstance(given, Mix) else {"shares": given}

    @field_serializer("mix")
    def _mix_as_json(self, mix: Mix) -> dict[str, float]:
        return {kind.value: share for kind, share in mix.shares.items()}


class Control(BaseModel):
    """What `POST /control` takes; all of it optional.

    behaviour: the fields of `Behaviour` that change.
    script: how the next calls go, null for well; replaces what is left of an earlier script.
    forget_traffic: count from zero.
    gone_for_s: refuse connections for so long, once this is answered.
    """

    model_config = ConfigDict(extra="forbid")

    behaviour: dict[str, object] = Field(default_factory=dict)
    script: list[Misbehaviour | None] | None = None
    forget_traffic: bool = False
    gone_for_s: float | None = Field(default=None, gt=0)


def changed(behaviour: Behaviour, changes: dict[str, object]) -> Behaviour:
    """The behaviour with some fields changed. Raises `pydantic.ValidationError`."""
    return Behaviour.model_validate(behaviour.model_dump() | changes)
