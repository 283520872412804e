"""The offline judge inside the evidence: a CLIP, pixel measures, and what research knows.

liking = what all agree on (prompt alignment and technical quality) + appeal to this person. The
CLIP runs once a picture; all that depends on the panel is a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges import Case, Deadline, Failure, Opinions, no_opinions
from qoe_service.judges.appeal import INCONSISTENCY_SD, identities, offsets, panel_of
from qoe_service.judges.clip_calibration import ClipReading, Sight
from qoe_service.judges.encoder import Encoder
from qoe_service.judges.scale import score, standard_error
from qoe_service.judges.sights import Sights
from qoe_service.personas import Persona
from qoe_service.schemas import Status
from qoe_service.waiting import after_waiting

REAL_CLIP = "`qoe models pull ViT-B-32/laion2b_s34b_b79k` installs a CLIP that knows the world"


REMEMBERED_PROMPTS = 4096


class ClipJudge:
    """Judges with one CLIP. Where the CLIP is out of its world it says so and gives no number."""

    tier = "clip"
    extraction = "embedding"
    prompt = None
    interview = None

    def __init__(self, encoder: Encoder, reading: ClipReading, sights: Sights) -> None:
        self.name = encoder.name
        self.revision = encoder.revision
        self.calibration = reading.fit.name
        self._encoder = encoder
        self._reading = reading
        self._sights = sights
        self._unreadable = lru_cache(maxsize=REMEMBERED_PROMPTS)(encoder.unreadable)

    def opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        """Every persona's opinion of every case that lies in the CLIP's world."""
        try:
            return self._opinions(cases, panel, deadline)
        except JudgeUnavailable as error:
            failure = Failure(Status.JUDGE_UNAVAILABLE, str(error))
            return no_opinions(len(cases), len(panel), failure)

    def check(self) -> None:
        """See a canary through the model itself."""
        self._sights.check()

    def close(self) -> None:
        """End the batching thread and close the cache."""
        self._sights.close()

    def _opinions(
        self, cases: Sequence[Case], panel: Sequence[Persona], deadline: Deadline
    ) -> Opinions:
        seen = self._sights.of([case.picture for case in cases], deadline)
        prompts = self._sights.texts([case.prompt for case in cases])
        failures = self._out_of_domain(cases, seen.sight) | seen.failures
        likings = self._likings(cases, panel, seen.sight, prompts)
        sd = float(np.hypot(self._reading.fit.liking.residual_sd, INCONSISTENCY_SD))
        scores = after_waiting(score(likings), cases, panel)
        errors = standard_error(likings, sd)
        scores[list(failures)] = errors[list(failures)] = np.nan
        return Opinions(scores, errors, failures, seen.cached, seen.forwards)

    def _likings(
        self,
        cases: Sequence[Case],
        panel: Sequence[Persona],
        sight: Sight,
        prompts: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        shifts = offsets(
            self._reading.features(sight),
            panel_of(panel),
            identities(case.picture.sha256 for case in cases),
            self._reading.fit.gain,
        )
        return self._reading.shared_liking(sight, prompts)[:, None] + shifts

    def _out_of_domain(self, cases: Sequence[Case], sight: Sight) -> dict[int, Failure]:
        strange = self._reading.strange(self._encoder, [case.picture for case in cases], sight)
        unreadable = {case.prompt: self._unreadable(case.prompt) for case in cases}
        reasons = ((row, unreadable[c.prompt] or strange.get(row)) for row, c in enumerate(cases))
        return {
            row: Failure(Status.OUT_OF_DOMAIN, f"{reason}; {REAL_CLIP}")
            for row, reason in reasons
            if reason is not None
        }
