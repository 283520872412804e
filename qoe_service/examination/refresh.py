"""Store what the shipped judges say of the golden set as what is right.

    python -m qoe_service.examination.refresh

Run it again whenever tinyworld's CLIP, its calibration, a measure, a drawing or the golden set
changes, after `qoe judges check` has shown that the change is meant.
"""

from __future__ import annotations

from pathlib import Path

from qoe_service.examination.golden import FOLDER, golden_set
from qoe_service.examination.hearing import fresh_judge, hear
from qoe_service.examination.stored import (
    SHIPPED_FILE,
    GoldenFile,
    GoldenValues,
    values_of,
    write_golden_file,
)
from qoe_service.judges.tier_map_file import identity_of
from qoe_service.settings import Settings

SECONDS = 100.0


def shipped_settings() -> Settings:
    """The judges as they are shipped, whatever the environment says."""
    return Settings(tiers=("clip", "pixel"), clip="tinyworld", device="cpu", cache=None)


def said_now(settings: Settings, tier: str) -> GoldenValues:
    """What a tier says of the golden set."""
    golden = golden_set()
    with fresh_judge(settings, tier) as judge:
        heard = hear(judge, [case.case for case in golden.cases], golden.people, SECONDS)
        return values_of(identity_of(judge, settings.samples), judge.extraction, golden, heard)


def main() -> None:
    """Ask and write."""
    settings = shipped_settings()
    said = tuple(said_now(settings, tier) for tier in settings.tiers)
    write_golden_file(Path(str(FOLDER)) / SHIPPED_FILE, GoldenFile(judges=said))


if __name__ == "__main__":
    main()
