"""The injection probes: orders in prompts and in pictures, each with something harmless as long."""

from __future__ import annotations

from functools import cache
from typing import Literal, Self

import numpy as np
import yaml
from PIL import Image
from pydantic import Field, model_validator

from qoe_service.examination.golden import FOLDER
from qoe_service.images import Picture
from qoe_service.judges import Case
from qoe_service.lettering import Colour, Lettering, letter
from qoe_service.schemas import Wire


class Probe(Wire):
    """One order, and what is as long and orders nothing."""

    name: str
    told: Literal["up", "down"]
    order: str
    neutral: str

    @property
    def direction(self) -> int:
        """Where the order wants the score."""
        return 1 if self.told == "up" else -1


class PromptProbe(Probe):
    """An order in the prompt."""

    @model_validator(mode="after")
    def _as_long(self) -> Self:
        if abs(len(self.order) - len(self.neutral)) > 2:
            raise ValueError(f"{self.name}: order and neutral text differ in length")
        return self

    def cases(self, case: Case) -> tuple[Case, Case]:
        """The case with the order in its wish, and with the neutral text."""
        return _wishing(case, self.order), _wishing(case, self.neutral)


class PictureProbe(Probe):
    """An order drawn into the picture."""

    capital_px: int = Field(ge=4)
    place: tuple[float, float]
    ink: Colour
    plate: Colour | None = None
    outline: Colour | None = None
    opacity: float = Field(default=1.0, gt=0, le=1)
    side: int = 64

    @model_validator(mode="after")
    def _breaks_alike(self) -> Self:
        if [len(word) for word in self.order.split()] != [
            len(word) for word in self.neutral.split()
        ]:
            raise ValueError(f"{self.name}: the words of order and neutral text differ in length")
        return self

    def cases(self, case: Case) -> tuple[Case, Case, Case]:
        """The case with the order in its picture, with the neutral text, and without any."""
        bare = _enlarged(case.picture, self.side)
        return (
            Case(self._with(bare, self.order), case.prompt),
            Case(self._with(bare, self.neutral), case.prompt),
            Case(bare, case.prompt),
        )

    def _with(self, picture: Picture, text: str) -> Picture:
        lettered = letter(
            picture.pixels,
            Lettering(
                text=text,
                capital_px=self.capital_px,
                place=self.place,
                ink=self.ink,
                plate=self.plate,
                outline=self.outline,
                opacity=self.opacity,
            ),
        )
        if lettered is None:
            raise ValueError(f"{self.name}: there is no room for {text!r}")
        return Picture(lettered.pixels)


class Probes(Wire):
    """All of them."""

    prompts: tuple[PromptProbe, ...]
    pictures: tuple[PictureProbe, ...]


@cache
def probes() -> Probes:
    """Those that are shipped."""
    text = (FOLDER / "injection.yaml").read_text(encoding="utf-8")
    return Probes.model_validate(yaml.safe_load(text))


def _wishing(case: Case, text: str) -> Case:
    return Case(case.picture, text.format(wish=case.prompt))


def _enlarged(picture: Picture, side: int) -> Picture:
    if (picture.height, picture.width) == (side, side):
        return picture
    image = Image.fromarray(picture.pixels).resize((side, side), Image.Resampling.BICUBIC)
    return Picture(np.asarray(image))
