"""What a calibration is worth on pictures it has not seen: `python benchmarks/tier_maps.py`.

Lower tiers are calibrated to the first on 120 pictures, over and over with fresh ones, and tried on
240 others: how far the mean score is off before and after, how far single opinions are (against the
residual that the map tells), and how often the first judge's opinion lies within 1.96 of the told
standard errors.

The first judge is the CLIP, or the fake VLM of the tests over HTTP. Its hidden taste has little to
do with what the drawn set varies; blurred pictures of the night neither judge likes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from PIL import ImageFilter

from benchmarks.provider_process import running_provider
from qoe_service.images import Picture
from qoe_service.judges import Case, Deadline, Judge
from qoe_service.judges.build import build_ladder
from qoe_service.judges.reference_set import draw_reference_set
from qoe_service.judges.tier_comparison import CalibrationItem, Comparison, compare_tiers
from qoe_service.judges.tier_map import TierMap
from qoe_service.personas import Persona, Registry
from qoe_service.settings import Settings
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import sample_scene

CALIBRATED_ON, HELD_OUT, HELD_OUT_SEED = 120, 240, 1_000

Draw = Callable[[int, int], list[CalibrationItem]]


@dataclass(frozen=True)
class Trial:
    """One map on the held-out pictures; in points of the 1-5 scale."""

    before: float
    after: float
    told: float
    found: float
    covered: float


def drawn(count: int, seed: int) -> list[CalibrationItem]:
    """What `qoe judges calibrate` draws by itself."""
    pictures = draw_reference_set(count, seed)
    return [CalibrationItem.of(*p) for p in zip(pictures.pictures, pictures.prompts, strict=True)]


def nights(count: int, seed: int) -> list[CalibrationItem]:
    """Night scenes as they were asked for, blurred to one of four degrees."""
    rng, items = np.random.default_rng(seed), []
    for _ in range(count):
        scene = replace(sample_scene(rng), time="night")
        blur = ImageFilter.GaussianBlur(0.7 * int(rng.integers(4)))
        pixels = np.asarray(draw_scene(scene, rng).filter(blur))
        items.append(CalibrationItem.of(Picture(pixels), plain_caption(scene)))
    return items


def compared(
    judges: Sequence[Judge], items: list[CalibrationItem], panel: Sequence[Persona]
) -> tuple[Comparison, ...]:
    return compare_tiers(
        judges, items, panel, named="", run_id="benchmark", samples=1, judged=lambda _: None
    )


def tried(found: TierMap, lower: Judge, first: Judge, cases: list[Case], panel: tuple) -> Trial:
    """A map on pictures it was not fitted on."""
    wanted = first.opinions(cases, panel, Deadline()).scores
    opinions = lower.opinions(cases, panel, Deadline())
    both = np.isfinite(wanted) & np.isfinite(opinions.scores)
    scores, errors, wanted = opinions.scores[both], opinions.errors[both], wanted[both]
    off = found.scores(scores) - wanted
    return Trial(
        before=float(np.mean(scores - wanted)),
        after=float(np.mean(off)),
        told=found.residual_sd,
        found=float(np.sqrt(np.mean(off**2))),
        covered=float(np.mean(np.abs(off) < 1.96 * found.errors(scores, errors))),
    )


def report(settings: Settings, draw: Draw, personas: int, calibrations: int) -> None:
    """A line for each lower tier."""
    panel = Registry().panel(personas)
    cases = [Case(item.picture(), item.prompt) for item in draw(HELD_OUT, HELD_OUT_SEED)]
    with closing(build_ladder(settings)) as ladder:
        first, *lower = ladder.judges
        fits = [
            compared(ladder.judges, draw(CALIBRATED_ON, seed), panel)
            for seed in range(calibrations)
        ]
        for number, judge in enumerate(lower):
            of_it = [comparison[number] for comparison in fits]
            maps = [each.tier_map for each in of_it if each.tier_map is not None]
            trials = [tried(each, judge, first, cases, panel) for each in maps]
            print(f"{judge.tier} as {first.tier}, {draw.__name__}: {_told(trials, maps, of_it)}")


def _told(trials: list[Trial], maps: list[TierMap], comparisons: list[Comparison]) -> str:
    refused = f"{len(comparisons) - len(maps)} of {len(comparisons)} refused"
    if not trials:
        return f"{refused} ({comparisons[0].refused})"
    after = [trial.after for trial in trials]
    return (
        f"rank r {np.mean([m.rank_correlation for m in maps]):.2f}, {refused}; level off "
        f"{trials[0].before:+.2f} before, {np.mean(after):+.2f} after (root mean square "
        f"{np.sqrt(np.mean(np.square(after))):.2f}, told {np.mean([m.level_se for m in maps]):.2f})"
        f"; residual {np.mean([t.found for t in trials]):.2f}, "
        f"told {np.mean([t.told for t in trials]):.2f}; "
        f"{np.mean([t.covered for t in trials]):.0%} within 1.96 se"
    )


def main() -> None:
    """Report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrations", type=int, default=5)
    parser.add_argument("--personas", type=int, default=4)
    options = parser.parse_args()
    local = Settings(tiers=("clip", "pixel"), cache=None, calibration=None)
    report(local, drawn, options.personas, options.calibrations)
    with running_provider() as url:
        vlm = Settings(
            tiers=("vlm", "clip", "pixel"),
            vlm_model="fake-vlm",
            vlm_base_url=url,
            cache=None,
            calibration=None,
        )
        for draw in (drawn, nights):
            report(vlm, draw, options.personas, options.calibrations)


if __name__ == "__main__":
    main()
