"""From settings to a ladder of judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qoe_service.errors import JudgeUnavailable, UnknownTier
from qoe_service.judges import Judge, UnavailableJudge
from qoe_service.judges.calibrated import on_one_scale
from qoe_service.judges.ladder import Bench, Ladder
from qoe_service.judges.parts import Parts
from qoe_service.judges.pixel import PixelJudge
from qoe_service.judges.tier_map_file import read_tier_maps
from qoe_service.settings import Settings


def build_bench(settings: Settings) -> Bench:
    """Who answers: the ladder, on record if there is to be one, or a record and no judge at all.

    Raises:
        UnknownTier: if a tier has no judge.
        TierMapFileError: if the file of maps is damaged.
        UnusableRecord: if there is nothing to replay.
        OSError: if there is no place for a record.
    """
    if settings.replay is not None:
        from qoe_service.records.replay import Replay

        return Replay(settings.replay)
    ladder = build_ladder(settings)
    if settings.record is None:
        return ladder
    from qoe_service.records.recording import Recording

    return Recording(ladder, settings.record)


def build_ladder(settings: Settings) -> Ladder:
    """The judges of `settings.tiers`, best first, on the scale of the first where there are maps.

    A judge that cannot be set up keeps its rung and says why; the cases fall to the next.

    Raises:
        UnknownTier: if a tier has no judge.
        TierMapFileError: if the file of maps is damaged.
    """
    maps = read_tier_maps(settings.calibration)
    parts = Parts(settings)
    judges = [_build(tier, parts) for tier in settings.tiers]
    return on_one_scale(judges, maps, settings.samples)


def _build(tier: str, parts: Parts) -> Judge:
    if tier not in BUILDERS:
        raise UnknownTier(f"QOE_TIERS names {tier!r}; known are {', '.join(BUILDERS)}")
    try:
        return BUILDERS[tier](parts)
    except JudgeUnavailable as error:
        return UnavailableJudge(tier=tier, name=tier, reason=str(error))


def _vlm(parts: Parts) -> Judge:
    from qoe_service.judges.vlm import create_vlm_judge

    return create_vlm_judge(parts)


def _llm(parts: Parts) -> Judge:
    from qoe_service.judges.llm import create_llm_judge

    return create_llm_judge(parts)


def _local_vlm(parts: Parts) -> Judge:
    from qoe_service.judges.local_vlm import create_local_vlm_judge

    return create_local_vlm_judge(parts)


def _clip(parts: Parts) -> Judge:
    from qoe_service.judges.clip import ClipJudge

    return ClipJudge(parts.encoder, parts.reading, parts.sights)


def _pixel(parts: Parts) -> Judge:
    del parts
    return PixelJudge()


BUILDERS: Mapping[str, Callable[[Parts], Judge]] = {
    "vlm": _vlm,
    "llm": _llm,
    "local_vlm": _local_vlm,
    "clip": _clip,
    "pixel": _pixel,
}
