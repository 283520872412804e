"""The last rung: opinions from pixels alone, with numpy.

It sees colour, order and damage but not what is shown, so it cannot know whether the prompt was
met: its scores stay near the middle and its standard errors are wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Opinions
from qoe_service.judges.appeal import INCONSISTENCY_SD, key, offsets, panel_of
from qoe_service.judges.calibration import Degree, Frozen, Line, Standard
from qoe_service.judges.evidence import FOLDER, features
from qoe_service.judges.measures import (
    FEATURES_OF_PIXELS,
    columns,
    measure,
    quality_inputs,
)
from qoe_service.judges.scale import score, standard_error
from qoe_service.personas import Persona

Array = NDArray[np.float64]

CALIBRATION_FILE = "calibration-pixel.json"


class PixelCalibration(Frozen):
    """What the pixel judge learned from the reference set."""

    name: str
    features: Standard
    quality: Degree
    liking: Line
    gain: float


@cache
def shipped_calibration() -> PixelCalibration:
    """The calibration that comes with the package."""
    text = (FOLDER / CALIBRATION_FILE).read_text(encoding="utf-8")
    return PixelCalibration.model_validate_json(text)


def appeal_features(table: Array, standard: Standard) -> Array:
    """The evidence's features (N, F) as far as pixels show them; the others are at their mean."""
    found = np.zeros((len(table), len(features())))
    places = [features().index(name) for name in FEATURES_OF_PIXELS]
    found[:, places] = standard.apply(columns(table, FEATURES_OF_PIXELS))
    return found


def case_keys(cases: Sequence[Case]) -> NDArray[np.uint64]:
    """The identity of every case's picture, for drawing inconsistency."""
    return np.array([key(case.picture.sha256) for case in cases], dtype=np.uint64)


class PixelJudge:
    """Judges every picture that could be decoded."""

    tier = "pixel"
    name = "pixel-measures"
    revision = "1"
    extraction = "measured"

    def __init__(self, calibration: PixelCalibration | None = None) -> None:
        self._calibration = calibration or shipped_calibration()
        self.calibration: str | None = self._calibration.name

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case; none fails."""
        del deadline  # measuring is faster than any deadline that makes sense
        likings = self.likings(measure([case.picture for case in cases]), cases, panel)
        sd = float(np.hypot(self._calibration.liking.residual_sd, INCONSISTENCY_SD))
        return Opinions(
            scores=score(likings),
            errors=standard_error(likings, sd),
            failures={},
            cached=np.zeros(len(cases), dtype=bool),
        )

    def likings(self, table: Array, cases: Sequence[Case], panel: Sequence[Persona]) -> Array:
        """Likings (N, P) from a table of measures."""
        quality = np.clip(self._calibration.quality.apply(quality_inputs(table)), 1e-3, 1 - 1e-3)
        shared = self._calibration.liking.apply(logit(quality))
        found = appeal_features(table, self._calibration.features)
        keys = case_keys(cases)
        return shared[:, None] + offsets(found, panel_of(panel), keys, self._calibration.gain)

    def check(self) -> None:
        """Measure a canary."""
        measure([Picture(np.zeros((16, 16, 3), dtype=np.uint8))])

    def close(self) -> None:
        """Nothing was opened."""
