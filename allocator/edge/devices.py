"""Device profiles: how long a denoising step takes and what it draws, as data with sources."""

from __future__ import annotations

import math
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

SHIPPED = files("allocator.edge") / "profiles.yaml"


class ProfileError(ValueError):
    """A profile file that cannot be used; the message names the file, the entry and the rule."""


def _sourced(entry: Any) -> Any:
    """The value of an entry, once it is seen to say where the value comes from."""
    if not isinstance(entry, dict) or set(entry) != {"value", "source"} or not entry["source"]:
        raise ValueError("every number needs a 'value' and a 'source'")
    return entry["value"]


Duration = Annotated[NonNegativeFloat, BeforeValidator(_sourced)]
Power = Annotated[PositiveFloat, BeforeValidator(_sourced)]
Count = Annotated[PositiveInt, BeforeValidator(_sourced)]


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Device(_Profile):
    """A kind of place where denoising steps run; the fields are those of `profiles.yaml`.

    shared: one machine serves all users and its steps run as batches; otherwise every user has a
    device of this kind. A step of b pictures takes seconds_per_picture_step b +
    seconds_per_batch_step; seconds_per_picture come once for every picture it works on.
    amplifier_efficiency: share of the radio's power that is radiated.
    """

    about: str
    shared: bool
    seconds_per_picture_step: Duration
    seconds_per_batch_step: Duration
    seconds_per_picture: Duration
    power_w: Power
    largest_batch: Count
    amplifier_efficiency: Power

    def step_seconds(self, pictures: int) -> float:
        """One denoising step of so many pictures, in as few batches as fit."""
        batches = math.ceil(pictures / self.largest_batch)
        return self.seconds_per_picture_step * pictures + self.seconds_per_batch_step * batches


class Payload(_Profile):
    """What crosses the air: a latent of so many values, or a finished picture of so many bits."""

    latent_values: Count
    picture_bits: Count


class Profiles(_Profile):
    """Everything in a profile file, by name."""

    devices: dict[str, Device]
    payloads: dict[str, Payload]


def load_profiles(file: Traversable = SHIPPED) -> Profiles:
    """The profiles of a YAML file, the shipped one by default.

    Raises ProfileError for a number without a source, an unknown or missing entry, or a value out
    of range.
    """
    try:
        return Profiles.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ProfileError(f"{file}: {error}") from error
