"""From settings to a ladder of judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qoe_service.errors import JudgeUnavailable, UnknownTier
from qoe_service.judges import Judge, UnavailableJudge
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.settings import Settings


def build_ladder(settings: Settings) -> Ladder:
    """The judges of `settings.tiers`, best first.

    A judge that cannot be set up keeps its rung and says why; the cases fall to the next.

    Raises:
        UnknownTier: if a tier has no judge.
    """
    return Ladder([_build(tier, settings) for tier in settings.tiers])


def _build(tier: str, settings: Settings) -> Judge:
    if tier not in BUILDERS:
        raise UnknownTier(f"QOE_TIERS names {tier!r}; known are {', '.join(BUILDERS)}")
    try:
        return BUILDERS[tier](settings)
    except JudgeUnavailable as error:
        return UnavailableJudge(tier=tier, name=tier, reason=str(error))


def _clip(settings: Settings) -> Judge:
    from qoe_service.cache import VectorCache
    from qoe_service.judges.clip import create_clip_judge
    from qoe_service.judges.clip_calibration import ClipReading
    from qoe_service.judges.clip_space import clip_space
    from qoe_service.judges.encoder import load_encoder
    from qoe_service.judges.reference import calibration_of

    encoder = load_encoder(settings.clip, settings.device)
    space = clip_space(encoder)
    cache = VectorCache(
        settings.cache,
        size_limit=settings.cache_bytes,
        memory_entries=settings.cache_entries,
    )
    return create_clip_judge(
        encoder,
        ClipReading(space, calibration_of(encoder, space, settings.cache)),
        cache,
        max_batch=settings.batch_size,
        window_s=settings.batch_window_s,
    )


def _pixel(settings: Settings) -> Judge:
    del settings
    return PixelJudge()


BUILDERS: Mapping[str, Callable[[Settings], Judge]] = {"clip": _clip, "pixel": _pixel}
