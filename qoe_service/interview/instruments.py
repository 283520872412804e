"""Questionnaires as data: public-domain statements with their published keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from qoe_service.errors import QoEError
from qoe_service.persona import TRAITS
from qoe_service.wire import Wire

FOLDER = files("qoe_service") / "interview"

INSTRUMENTS = ("mini-ipip", "ipip-50")

Sign = Literal[-1, 1]

UNDESIRABLE = "neuroticism"
"""The one trait of which less is commonly thought better."""


class InstrumentError(QoEError):
    """An instrument is not what it was published as, or not there; the text says what is wrong."""


@dataclass(frozen=True)
class Statement:
    """Something that may be said of oneself. `key` is 1 where agreeing means more of the trait."""

    text: str
    trait: str
    key: int


class Scale(Wire):
    """The statements of one factor, as published.

    sign: -1 where the factor is the other end of our trait (Emotional Stability, neuroticism).
    keys: how many statements are keyed + and how many -, as published.
    """

    factor: str
    trait: str
    sign: Sign
    keys: tuple[int, int]
    positive: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_as_published(self) -> Self:
        found = len(self.positive), len(self.negative)
        if found != self.keys:
            raise ValueError(f"{self.factor} has {found} statements keyed +, -; not {self.keys}")
        return self

    def statements(self) -> tuple[Statement, ...]:
        """Those keyed + and then those keyed -, with the key for our trait."""
        keyed = [(text, self.sign) for text in self.positive]
        keyed += [(text, -self.sign) for text in self.negative]
        return tuple(Statement(text, self.trait, key) for text, key in keyed)


class Instrument(Wire):
    """A questionnaire. `options` go from the least to the most accurate."""

    id: str
    title: str
    source: str
    licence: str
    options: tuple[str, str, str, str, str]
    scales: tuple[Scale, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if tuple(scale.trait for scale in self.scales) != TRAITS:
            raise ValueError(f"needs one scale for each of {', '.join(TRAITS)}, in this order")
        if len({sum(scale.keys) for scale in self.scales}) > 1:
            raise ValueError("its scales have different numbers of statements")
        texts = Counter(statement.text for statement in self.statements)
        twice = [text for text, count in texts.items() if count > 1]
        if twice:
            raise ValueError(f"says twice: {' '.join(twice)}")
        return self

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """All statements, scale by scale."""
        return tuple(statement for scale in self.scales for statement in scale.statements())

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """The key (I,) of each statement for its trait."""
        return np.array([statement.key for statement in self.statements])

    @cached_property
    def traits(self) -> NDArray[np.int64]:
        """Which of `TRAITS` each statement (I,) is about."""
        return np.array([TRAITS.index(statement.trait) for statement in self.statements])


@cache
def load_instrument(name: str) -> Instrument:
    """A packaged instrument.

    Raises:
        InstrumentError: if there is none of this name, or its file is damaged.
    """
    if name not in INSTRUMENTS:
        raise InstrumentError(f"no instrument {name!r}; there are {', '.join(INSTRUMENTS)}")
    return parse_instrument((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), source=name)


def parse_instrument(text: str, *, source: str) -> Instrument:
    """The instrument that a YAML text describes. Raises `InstrumentError`."""
    try:
        return Instrument.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InstrumentError(f"{source}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the instrument"
        raise InstrumentError(f"{source}: {place}: {first['msg']}") from error
