"""Which experience it is: one may go on learning only from the one it has learnt from."""

from __future__ import annotations

import hashlib
import json

from allocator.experience import Experience, RecordedExperience


def fingerprint(experience: Experience) -> str:
    """Of the pictures that may be drawn and of the panel; of recorded opinions too."""
    catalogue = experience.catalogue
    told = (
        catalogue.prompts,
        catalogue.seeds,
        catalogue.total_steps,
        catalogue.error_levels,
        catalogue.members.tolist(),
        experience.personas,
        experience.traits.tolist(),
    )
    digest = hashlib.sha256(json.dumps(told).encode())
    if isinstance(experience, RecordedExperience):
        digest.update(experience.table.tobytes())
    return digest.hexdigest()[:16]
