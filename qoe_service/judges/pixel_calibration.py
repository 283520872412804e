"""Fitting the pixel judge to the reference set."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from qoe_service.judges.calibration import (
    Degree,
    Frozen,
    Line,
    Standard,
    fit_degree,
    fit_line,
    standard_of,
)
from qoe_service.judges.evidence import FOLDER, features
from qoe_service.judges.gain import fit_gain
from qoe_service.judges.measures import FEATURES_OF_PIXELS, columns, measure, quality_inputs
from qoe_service.judges.reference_set import ReferenceSet

Array = NDArray[np.float64]

FILE = "calibration-pixel.json"


class PixelCalibration(Frozen):
    """What the pixel judge learned from the reference set."""

    name: str
    features: Standard
    """Of `FEATURES_OF_PIXELS`."""
    quality: Degree
    liking: Line
    """From the logit of quality to the liking that the truth would have."""
    gain: float

    def shared_liking(self, table: Array) -> Array:
        """The liking (N,) all agree on, from a table of measures."""
        quality = self.quality.apply(quality_inputs(table))
        return self.liking.apply(_logit(quality))

    def features_of(self, table: Array) -> Array:
        """The evidence's features (N, F) as far as pixels show them; the others at their mean."""
        found = np.zeros((len(table), len(features())))
        places = [features().index(name) for name in FEATURES_OF_PIXELS]
        found[:, places] = self.features.apply(columns(table, FEATURES_OF_PIXELS))
        return found


def fit_pixel_judge(reference: ReferenceSet) -> PixelCalibration:
    """Everything the pixel judge takes from the reference set."""
    table = measure(reference.pictures)
    quality = fit_degree(quality_inputs(table), reference.quality)
    seen = _logit(quality.apply(quality_inputs(table)))
    draft = PixelCalibration(
        name=reference.name,
        features=standard_of(columns(table, FEATURES_OF_PIXELS)[reference.untouched]),
        quality=quality,
        liking=fit_line(seen, reference.liking),
        gain=0.0,
    )
    gain = fit_gain(reference.liking, draft.features_of(table), reference.keys)
    return draft.model_copy(update={"gain": gain})


@cache
def shipped_pixel_calibration() -> PixelCalibration:
    """The calibration that comes with the package."""
    return PixelCalibration.model_validate_json((FOLDER / FILE).read_text(encoding="utf-8"))


def _logit(degree: Array) -> Array:
    return np.asarray(logit(np.clip(degree, 1e-3, 1 - 1e-3)))
