"""A picture in words and numbers, for a judge that cannot see: what a CLIP and pixels tell.

What is on the picture is CLIP's zero-shot classification; how far it lies from the usual picture
along an axis, how well it fits the wish and how good its quality is are the CLIP judge's own,
calibrated readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Failure
from qoe_service.judges.axes import Axis, phrases
from qoe_service.judges.clip_calibration import ClipReading, Sight
from qoe_service.judges.encoder import Encoder
from qoe_service.judges.evidence import features
from qoe_service.judges.measures import columns, measure
from qoe_service.judges.perception import Percept
from qoe_service.schemas import Status

if TYPE_CHECKING:
    from qoe_service.judges.sights import Sights

Array = NDArray[np.float64]

DESCRIPTION_VERSION = "description-1"
"""Part of every key; the words themselves are too, as they stand in the question."""

MEASURED = ("brightness", "colourfulness", "sharpness", "saturation", "contrast", "noise")
"""What of the pixels is told."""


class Classes:
    """Texts as the classes of a zero-shot classifier, each said in every template."""

    def __init__(self, texts: Sequence[str], templates: Sequence[str], encoder: Encoder) -> None:
        self.texts = tuple(texts)
        said = [template.format(text) for text in texts for template in templates]
        vectors = encoder.texts(said).astype(float)
        means = vectors.reshape(len(self.texts), len(templates), -1).mean(axis=1)
        unit = means / np.linalg.norm(means, axis=1, keepdims=True)
        self._logits = encoder.logit_scale * unit.T

    def shares(self, embeddings: Array) -> Array:
        """The probability (N, K) of each text for embeddings (N, D)."""
        return np.asarray(softmax(embeddings @ self._logits, axis=1))


@dataclass(frozen=True, eq=False)
class Seen:
    """N pictures as the CLIP judge sees them."""

    sight: Sight
    quality: Array
    fit: list[float | None]
    """To the wish; `None` for a wish that the CLIP cannot read."""


class Described:
    """Perception by description. What the CLIP has never seen the like of is not described.

    It owns the sights and closes them.
    """

    def __init__(self, encoder: Encoder, reading: ClipReading, sights: Sights) -> None:
        self._encoder, self._reading, self._sights = encoder, reading, sights
        self._axes = phrases(encoder.vocabulary).features
        self._ends = {
            name: Classes((*axis.positive, *axis.negative), axis.templates, encoder)
            for name, axis in self._axes.items()
        }

    def of(self, cases: Sequence[Case], deadline: Deadline) -> list[Percept | Failure]:
        """A description of each case that lies in the CLIP's world."""
        found = self._sights.of([case.picture for case in cases], deadline)
        failures = self._foreign(cases, found.sight) | found.failures
        seen = Seen(found.sight, self._reading.quality(found.sight), self._fit(cases, found.sight))
        texts = self._texts(seen)
        return [
            failures.get(row) or Percept(DESCRIPTION_VERSION, description=text)
            for row, text in enumerate(texts)
        ]

    def canary(self) -> Percept:
        """A plain grey square, without looking."""
        grey = measure([Picture(np.full((16, 16, 3), 128, dtype=np.uint8))])
        return Percept(DESCRIPTION_VERSION, description="\n".join(_of_pixels(grey)[0]))

    def close(self) -> None:
        """End the batching thread and close the cache."""
        self._sights.close()

    def _foreign(self, cases: Sequence[Case], sight: Sight) -> dict[int, Failure]:
        strange = self._reading.strange(self._encoder, [case.picture for case in cases], sight)
        return {
            row: Failure(Status.OUT_OF_DOMAIN, f"it cannot be described: {reason}")
            for row, reason in strange.items()
        }

    def _fit(self, cases: Sequence[Case], sight: Sight) -> list[float | None]:
        wishes = self._sights.texts([case.prompt for case in cases])
        fits = self._reading.alignment(sight, wishes).tolist()
        return [
            fit if self._encoder.unreadable(case.prompt) is None else None
            for case, fit in zip(cases, fits, strict=True)
        ]

    def _texts(self, seen: Seen) -> list[str]:
        parts = zip(
            self._of_subject(seen.sight),
            _of_worth(seen),
            _of_pixels(seen.sight.measures),
            strict=True,
        )
        return ["\n".join(line for part in three for line in part) for three in parts]

    def _of_subject(self, sight: Sight) -> list[list[str]]:
        """For each picture one line an axis."""
        lines: list[list[str]] = [[] for _ in sight.embeddings]
        places = self._reading.features(sight)
        for name, axis in self._axes.items():
            column = places[:, features().index(name)]
            shares = self._ends[name].shares(sight.embeddings)
            for row, (place, each) in enumerate(zip(column, shares, strict=True)):
                lines[row].append(_of_axis(name, axis, self._ends[name].texts, each, place))
        return lines


def _of_axis(name: str, axis: Axis, texts: Sequence[str], shares: Array, place: float) -> str:
    """How likely the axis's positive end is, what is most like it, and how unusual that is."""
    likely = shares[: len(axis.positive)].sum()
    return (
        f"{name.replace('_', ' ')}: {_percent(likely)} likely, most like "
        f"{texts[int(shares.argmax())]!r}, {place:+.1f} SD from the usual picture"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _of_worth(seen: Seen) -> list[list[str]]:
    return [
        [f"technical quality: {quality:.2f} of 1"]
        + ([] if fit is None else [f"fit to the wish: {fit:.2f} of 1"])
        for quality, fit in zip(seen.quality.tolist(), seen.fit, strict=True)
    ]


def _of_pixels(measures: Array) -> list[list[str]]:
    table = columns(measures, MEASURED)
    table[:, MEASURED.index("colourfulness")] /= 100
    table[:, MEASURED.index("sharpness")] = expit(table[:, MEASURED.index("sharpness")])
    table[:, MEASURED.index("noise")] = np.exp(table[:, MEASURED.index("noise")])
    return [
        [f"{name}: {value:.3f}" for name, value in zip(MEASURED, row, strict=True)]
        for row in table.tolist()
    ]
