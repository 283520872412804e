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
    raise JudgeUnavailable("the CLIP judge is not there yet")


def _pixel(settings: Settings) -> Judge:
    del settings
    return PixelJudge()


BUILDERS: Mapping[str, Callable[[Settings], Judge]] = {"clip": _clip, "pixel": _pixel}
