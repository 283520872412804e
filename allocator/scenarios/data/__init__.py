"""Recorded experience that is shipped: the whole QoE table, made once by the real loop, and what
a CLIP sees of its pictures."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from allocator.experience import RecordedExperience

SHARED_DENOISING = "shared_denoising.npz"
SHARED_DENOISING_SIGHT = "shared_denoising.sight.npz"


def shipped_experience() -> RecordedExperience:
    """The default table of SharedDenoising-v0."""
    resource = files(__name__) / SHARED_DENOISING
    if not resource.is_file():
        raise FileNotFoundError(
            f"{SHARED_DENOISING} has not been recorded; run `python -m allocator.scenarios.record` "
            "or pass an experience of your own"
        )
    with as_file(resource) as path:
        return RecordedExperience.load(path)


def shipped_sight() -> Path:
    """Where the sight of the default table's pictures lies; see `allocator.judge_budget.sight`."""
    return Path(str(files(__name__))) / SHARED_DENOISING_SIGHT
