"""Draw the README's picture: what sharing does to pictures, and what four personas think of them.

    python benchmarks/loop_picture.py

Every picture is really generated and every number under it is an opinion of the service's judge.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from allocator.arrays import Indices
from allocator.catalogue import catalogue_seen_by
from allocator.diffusion.generator import Generator
from allocator.diffusion.pictures import PictureStore
from allocator.experience import Cells, LiveExperience, look_up
from allocator.oracle import LocalOracle
from allocator.report.pictures import distinct_personas, similar_and_dissimilar
from qoe_service import Scorer, Settings
from tinyworld.diffusion import load_diffusion

FIGURE = Path(__file__).parent.parent / "docs" / "figures" / "loop.png"
SHARED_STEPS = (0, 2, 4, 5, 6, 7, 8, 9)
COLOURS = ("#3b6fb6", "#d1603d", "#3a8f5c", "#8a5aa8")


def main() -> None:
    diffusion = load_diffusion()
    catalogue = catalogue_seen_by(diffusion)
    generator = Generator(diffusion, PictureStore())
    similar, dissimilar = similar_and_dissimilar(catalogue, 1)
    with Scorer.from_settings(Settings(cache=None)) as scorer:
        experience = LiveExperience(catalogue, generator, LocalOracle(scorer))
        judges = distinct_personas(experience.traits, len(COLOURS))
        figure, axes = plt.subplots(
            5, len(SHARED_STEPS), figsize=(13, 6), height_ratios=(3, 1, 0.6, 3, 1), dpi=110
        )
        for spacer in axes[2]:
            spacer.axis("off")
        for row, prompt in ((0, int(similar[0])), (3, int(dissimilar[0]))):
            _draw_row(axes[row : row + 2], experience, generator, prompt, judges)
    names = [experience.personas[judge] for judge in judges]
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS]
    figure.legend(handles, names, loc="lower center", ncols=len(names), frameon=False)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.88, bottom=0.09, hspace=0.2, wspace=0.08)
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE)


def _draw_row(
    axes: np.ndarray,
    experience: LiveExperience,
    generator: Generator,
    prompt: int,
    judges: Indices,
) -> None:
    """Pictures above, scores from 1 to 5 of each judge below."""
    catalogue = experience.catalogue
    pictures = generator.run([catalogue.plan(prompt, 0, steps, 0) for steps in SHARED_STEPS])
    shape = (len(SHARED_STEPS), len(judges))
    branches = np.broadcast_to(np.array(SHARED_STEPS)[:, None], shape)
    zeros = np.zeros(shape, dtype=np.intp)
    personas = np.broadcast_to(judges, shape)
    scores = 1 + 4 * look_up(experience, Cells(zeros + prompt, zeros, branches, zeros, personas))
    public = catalogue.prompts[catalogue.public_of[prompt]]
    axes[0, 0].text(
        0.0,
        1.24,
        f"own prompt: {catalogue.prompts[prompt]}    shared under: {public}",
        transform=axes[0, 0].transAxes,
        fontsize=10,
        weight="bold",
    )
    for column, steps in enumerate(SHARED_STEPS):
        above, below = axes[:, column]
        above.imshow(pictures[column], interpolation="lanczos")
        above.set_title(f"{steps} of {catalogue.total_steps} steps shared", fontsize=8)
        above.axis("off")
        bars = below.bar(range(len(judges)), scores[column] - 1, bottom=1, color=COLOURS, width=0.8)
        below.bar_label(bars, [f"{score:.1f}" for score in scores[column]], fontsize=7)
        below.set_ylim(1, 5.6)
        below.axis("off")


if __name__ == "__main__":
    main()
