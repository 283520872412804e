"""What waiting does to the experience of a picture.

Satisfaction falls with the logarithm of the wait (Egger et al., "Waiting times in quality of
experience for web based services", 2012), and how soon it begins to hurt is the persona's own
`patience_s`. A wait of exactly that length costs ln 2 on the liking, 0.7 of a grade at mid-scale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qoe_service.judges import Case
from qoe_service.judges.scale import RANGE, liking, score
from qoe_service.personas import Persona
from qoe_service.schemas import LOWEST_SCORE

Array = NDArray[np.float64]


def after_waiting(scores: Array, cases: Sequence[Case], panel: Sequence[Persona]) -> Array:
    """Scores (N, P) of N cases as they are after the cases' waits; no wait changes nothing."""
    delays_s = np.array([case.delay_s for case in cases])
    late = delays_s > 0
    if not late.any():
        return scores
    patience_s = np.array([persona.patience_s for persona in panel])
    annoyance = np.log1p(delays_s[late, None] / patience_s)
    waited = scores.copy()
    waited[late] = score(liking((scores[late] - LOWEST_SCORE) / RANGE) - annoyance)
    return waited
