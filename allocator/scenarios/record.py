"""Record the shipped QoE table of SharedDenoising-v0: every picture really drawn and judged.

    python -m allocator.scenarios.record

It takes the models and personas that this machine has, and leaves the table beside a card that
says what made it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from allocator.catalogue import catalogue_seen_by
from allocator.experience import LiveExperience, RecordedExperience
from allocator.scenarios.data import SHARED_DENOISING

COMMAND = "python -m allocator.scenarios.record"


def write(recorded: RecordedExperience, about: dict[str, object], folder: Path) -> Path:
    """Write the table and its card; the path of the table."""
    path = folder / SHARED_DENOISING
    recorded.save(path)
    unjudged = int(np.isnan(recorded.table).sum())
    card = {"command": COMMAND, "shape": recorded.table.shape, "unjudged": unjudged, **about}
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    return path


def main() -> None:
    """Draw, judge and write the table."""
    from allocator.diffusion.generator import Generator
    from allocator.diffusion.pictures import PictureStore
    from allocator.judge_budget.sight import see
    from allocator.oracle import LocalOracle
    from qoe_service import Scorer, Settings
    from tinyworld.clip import load_clip
    from tinyworld.diffusion import load_diffusion

    diffusion = load_diffusion()
    generator = Generator(diffusion, PictureStore())
    with Scorer.from_settings(Settings()) as scorer:
        oracle = LocalOracle(scorer)
        experience = LiveExperience(catalogue_seen_by(diffusion), generator, oracle)
        recorded = experience.record()
        about: dict[str, object] = {
            "diffusion": diffusion.revision,
            "judges": [judge.model_dump() for judge in scorer.judges()],
            "personas": recorded.personas,
            "oracle": asdict(oracle.counts),
            "generator": asdict(generator.counts),
            "seconds": {
                "generating": round(experience.counts.generating_s, 1),
                "judging": round(experience.counts.judging_s, 1),
            },
        }
        sight = see(recorded.catalogue, generator, load_clip())
    path = write(recorded, about, Path(__file__).parent / "data")
    sight.save(path.with_suffix(".sight.npz"))


if __name__ == "__main__":
    main()
