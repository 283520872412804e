"""The manner that was found, remembered with the opinions that were given in it.

A restarted service knows by it what it may look up, though nobody is there to be asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import orjson

from qoe_service.judges.endpoint import ModelAt
from qoe_service.judges.opinion_store import OpinionStore
from qoe_service.judges.probe import Manner
from qoe_service.judges.questioning import READING_VERSION
from qoe_service.prompts import JudgePrompt


class MannerMemory:
    """Of one model, one template and these manners, in the store of its opinions."""

    def __init__(
        self,
        store: OpinionStore,
        model: ModelAt,
        template: JudgePrompt,
        candidates: Sequence[Manner],
    ) -> None:
        self._store, self._candidates = store, tuple(candidates)
        depends_on = {
            "model": model.name,
            "address": model.address,
            "reading": READING_VERSION,
            "template": template.tag,
            "candidates": [(manner.name, manner.samples) for manner in candidates],
        }
        said = orjson.dumps(depends_on, option=orjson.OPT_SORT_KEYS)
        self._key = f"manner/{hashlib.sha256(said).hexdigest()}"

    def recall(self) -> Manner | None:
        """How the model was asked the last time, if that is known."""
        for place in self._store.known([self._key]).values():
            if place.shape == (1,) and 0 <= place[0] < len(self._candidates):
                return self._candidates[int(place[0])]
        return None

    def remember(self, manner: Manner) -> None:
        """Keep it with the opinions."""
        self._store.keep(self._key, np.array([self._candidates.index(manner)], dtype=np.float32))
