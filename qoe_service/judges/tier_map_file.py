"""The file of tier maps: which judges each one is for, and whether these are they."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qoe_service.errors import QoEError
from qoe_service.judges import Identity
from qoe_service.judges.calibration import Frozen
from qoe_service.judges.tier_map import TierMap
from qoe_service.kept_file import read_kept, replace_kept
from qoe_service.settings import CHAT_TIERS

if TYPE_CHECKING:
    from qoe_service.judges.endpoint import ModelAt
    from qoe_service.prompts import JudgePrompt


class TierMapFileError(QoEError):
    """The file of tier maps cannot be read; the text names it and says what to do."""


class JudgeIdentity(Frozen):
    """All that a judge's scale depends on.

    samples: answers that a judgment is the mean of; `None` where there are probabilities.
    """

    tier: str
    name: str
    revision: str
    prompt: str | None
    calibration: str | None
    samples: int | None = None

    def difference(self, other: JudgeIdentity) -> str | None:
        """What is different with the other, in words; `None` if they are the same judge."""
        for field in type(self).model_fields:
            mine, others = getattr(self, field), getattr(other, field)
            indifferent = field == "samples" and None in (mine, others)
            if mine != others and not indifferent:
                return f"the {field} of {self.tier} was {mine!r} and is {others!r}"
        return None


class StoredMap(Frozen):
    """A map, whose scores it maps to whose, and on what items it was fitted."""

    primary: JudgeIdentity
    lower: JudgeIdentity
    items: str
    tier_map: TierMap

    def difference(self, primary: JudgeIdentity, lower: JudgeIdentity) -> str | None:
        """What keeps it from being these judges' map; `None` if it is."""
        return self.primary.difference(primary) or self.lower.difference(lower)


class TierMaps(Frozen):
    """What the file holds."""

    version: Literal[1] = 1
    maps: tuple[StoredMap, ...] = ()

    def between(self, primary: JudgeIdentity, lower: JudgeIdentity) -> TierMap | str:
        """The map for these judges, or why there is none."""
        why_not = f"not calibrated to {primary.tier}; `qoe judges calibrate`"
        for stored in self.maps:  # the newest is the last
            if (stored.primary.tier, stored.lower.tier) != (primary.tier, lower.tier):
                continue
            difference = stored.difference(primary, lower)
            if difference is None:
                return stored.tier_map
            why_not = f"its calibration is stale: {difference}; `qoe judges calibrate`"
        return why_not

    def including(self, new: Sequence[StoredMap]) -> TierMaps:
        """These maps and new ones, which replace those for the same judges."""
        kept = (old for old in self.maps if all(old.difference(n.primary, n.lower) for n in new))
        return TierMaps(maps=(*kept, *new))


def identity_of(judge: Identity, samples: int) -> JudgeIdentity:
    """Who a judge is now.

    samples: that is set for chat judges. An expected value over probabilities needs none; before
        such a judge was first asked it is not known how it is read.
    """
    sampled = judge.tier in CHAT_TIERS and judge.extraction != "logprobs"
    return JudgeIdentity(
        tier=judge.tier,
        name=judge.name,
        revision=judge.revision,
        prompt=judge.prompt,
        calibration=judge.calibration,
        samples=samples if sampled else None,
    )


def chat_identity(tier: str, model: ModelAt, template: JudgePrompt) -> JudgeIdentity:
    """Who the judge of a chat tier is, before it is built; how it answers is left open."""
    return JudgeIdentity(
        tier=tier, name=model.name, revision=model.address, prompt=template.tag, calibration=None
    )


def read_tier_maps(path: Path | None) -> TierMaps:
    """The maps in a file; none if there is no file.

    Raises:
        TierMapFileError: if it cannot be read, or holds anything else.
    """
    return read_kept(
        path,
        TierMaps,
        what="the tier maps of QOE_CALIBRATION",
        remedy="qoe judges calibrate",
        error=TierMapFileError,
    )


def store_tier_maps(path: Path, new: Sequence[StoredMap]) -> None:
    """Put maps into the file beside those for other judges; readers see the old or the new.

    Raises:
        TierMapFileError: if what is there cannot be read.
        OSError: if it cannot be written.
    """
    text = read_tier_maps(path).including(new).model_dump_json(indent=1)
    replace_kept(path, text)
