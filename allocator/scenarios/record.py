"""Record the shipped QoE table of SharedDenoising-v0: every picture really drawn and judged.

    python -m allocator.scenarios.record

It takes the models and personas that this machine has, and leaves the table beside a card that
says what made it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from allocator.catalogue import compose_catalogue
from allocator.experience import LiveExperience, RecordedExperience
from allocator.scenarios.data import SHARED_DENOISING

if TYPE_CHECKING:
    from allocator.diffusion.generator import Generator
    from allocator.oracle import Oracle
    from tinyworld.diffusion import LatentDiffusion

COMMAND = "python -m allocator.scenarios.record"


def live_experience(
    diffusion: LatentDiffusion, generator: Generator, oracle: Oracle
) -> LiveExperience:
    """The default catalogue, similar in the eyes of the model that draws, judged by the oracle."""

    catalogue = compose_catalogue(lambda prompts: diffusion.embed_text(prompts).numpy())
    return LiveExperience(catalogue, generator, oracle)


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
    from allocator.oracle import LocalOracle
    from qoe_service import Scorer, Settings
    from tinyworld.diffusion import load_diffusion

    diffusion = load_diffusion()
    generator = Generator(diffusion, PictureStore())
    with Scorer.from_settings(Settings()) as scorer:
        oracle = LocalOracle(scorer)
        experience = live_experience(diffusion, generator, oracle)
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
    write(recorded, about, Path(__file__).parent / "data")


if __name__ == "__main__":
    main()
