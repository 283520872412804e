"""The last rung: opinions from pixels alone, with numpy.

It sees colour, order and damage but not what is shown, so it cannot know whether the prompt was
met: its scores stay near the middle and its standard errors are wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Opinions
from qoe_service.judges.appeal import INCONSISTENCY_SD, identities, offsets, panel_of
from qoe_service.judges.measures import measure
from qoe_service.judges.pixel_calibration import PixelCalibration, shipped_pixel_calibration
from qoe_service.judges.scale import score, standard_error
from qoe_service.personas import Persona
from qoe_service.waiting import after_waiting


class PixelJudge:
    """Judges every picture that could be decoded."""

    tier = "pixel"
    name = "pixel-measures"
    revision = "1"
    extraction = "measured"
    prompt = None
    interview = None

    def __init__(self, calibration: PixelCalibration | None = None) -> None:
        self._fit = calibration or shipped_pixel_calibration()
        self.calibration = self._fit.name

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case; none fails."""
        del deadline  # measuring is faster than any deadline that makes sense
        table = measure([case.picture for case in cases])
        shifts = offsets(
            self._fit.features_of(table),
            panel_of(panel),
            identities(case.picture.sha256 for case in cases),
            self._fit.gain,
        )
        likings = self._fit.shared_liking(table)[:, None] + shifts
        sd = float(np.hypot(self._fit.liking.residual_sd, INCONSISTENCY_SD))
        return Opinions(
            scores=after_waiting(score(likings), cases, panel),
            errors=standard_error(likings, sd),
            failures={},
            cached=np.zeros(len(cases), dtype=bool),
        )

    def check(self) -> None:
        """Measure a canary."""
        measure([Picture(np.zeros((16, 16, 3), dtype=np.uint8))])

    def close(self) -> None:
        """Nothing was opened."""
