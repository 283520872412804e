"""What sharing and the channel do to pictures: contact sheets and curves from the real loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.experience import Cells, Experience, look_up
from allocator.plan import DenoisingPlan
from allocator.report.contact_sheet import ContactSheet, Row
from allocator.report.figures import lines
from allocator.report.page import PictureFigure

Draw = Callable[[Sequence[DenoisingPlan]], NDArray[np.uint8]]

CLEAN = 0
SHEET_SEED = 0
JUDGES_SHOWN = 4


def contact_sheets(experience: Experience, draw: Draw) -> tuple[ContactSheet, ContactSheet]:
    """Pictures by shared steps, and by the channel's bit errors, with four personas' opinions."""
    catalogue, judges = experience.catalogue, distinct_personas(experience.traits, JUDGES_SHOWN)
    names = tuple(experience.personas[judge] for judge in judges)
    branches = np.arange(catalogue.total_steps)
    similar, dissimilar = similar_and_dissimilar(catalogue, 2)
    by_steps = ContactSheet(
        title="By shared steps",
        explanation=(
            f"Column n: n of {catalogue.total_steps} steps ran under the group's public prompt, "
            "the rest under the user's own. Bars are scores from 1 to 5."
        ),
        columns=tuple(str(branch) for branch in branches),
        personas=names,
        rows=tuple(
            _row(experience, draw, int(prompt), branches, np.zeros_like(branches), judges)
            for prompt in (*similar, *dissimilar)
        ),
    )
    levels, half = np.arange(len(catalogue.error_levels)), catalogue.total_steps // 2
    by_errors = ContactSheet(
        title="By channel quality",
        explanation=(
            f"{half} steps shared, then the latent crosses the air; each column has its bit-error "
            "rate. The remaining steps repair what they can."
        ),
        columns=tuple(f"{rate:.1%}" for rate in catalogue.error_levels),
        personas=names,
        rows=tuple(
            _row(experience, draw, int(prompt), np.full_like(levels, half), levels, judges)
            for prompt in similar
        ),
    )
    return by_steps, by_errors


def picture_figures(experience: Experience) -> tuple[PictureFigure, PictureFigure]:
    """Mean reward against shared steps by similarity, and against bit errors by steps left."""
    catalogue = experience.catalogue
    similar, dissimilar = similar_and_dissimilar(catalogue, len(catalogue.prompts) // 4)
    steps, levels = np.arange(catalogue.total_steps), np.arange(len(catalogue.error_levels))
    by_steps = lines(
        list(steps),
        {
            "the most similar quarter": _mean(experience, similar, steps, CLEAN),
            "the least similar quarter": _mean(experience, dissimilar, steps, CLEAN),
        },
        title="Reward by shared steps",
        x_label=f"shared steps of {catalogue.total_steps}",
        y_label="mean reward",
    )
    everyone = np.arange(len(catalogue.prompts))
    by_errors = lines(
        [100 * rate for rate in catalogue.error_levels],
        {
            f"{branch} steps shared": np.concatenate(
                [_mean(experience, everyone, np.array([branch]), int(level)) for level in levels]
            )
            for branch in (2, 5, 8)
            if branch < catalogue.total_steps
        },
        title="Reward by bit errors",
        x_label="bit errors in the latent, %",
        y_label="mean reward",
    )
    return (
        PictureFigure(by_steps, "Own prompts against shared steps, over a clean channel."),
        PictureFigure(by_errors, "Bit errors against the steps that are left to repair them."),
    )


def similar_and_dissimilar(catalogue: Catalogue, count: int) -> tuple[Indices, Indices]:
    """The prompts most and least like their public prompt; public prompts themselves left out."""
    others = np.setdiff1d(np.arange(len(catalogue.prompts)), catalogue.public)
    order = others[np.argsort(catalogue.similarity[others])]
    return order[::-1][:count], order[:count]


def distinct_personas(traits: Floats, count: int) -> Indices:
    """Personas far from each other in trait space: each next one is farthest from those chosen."""
    chosen = [int(np.linalg.norm(traits - traits.mean(axis=0), axis=1).argmax())]
    while len(chosen) < min(count, len(traits)):
        gaps = np.linalg.norm(traits[:, None] - traits[chosen], axis=2).min(axis=1)
        chosen.append(int(gaps.argmax()))
    return np.array(chosen)


def _row(
    experience: Experience,
    draw: Draw,
    prompt: int,
    branches: Indices,
    levels: Indices,
    judges: Indices,
) -> Row:
    catalogue = experience.catalogue
    plans = [
        catalogue.plan(prompt, SHEET_SEED, int(branch), int(level))
        for branch, level in zip(branches, levels, strict=True)
    ]
    shape = (len(plans), len(judges))
    cells = Cells(
        prompt=np.full(shape, prompt),
        seed=np.full(shape, SHEET_SEED),
        branch=np.broadcast_to(branches[:, None], shape),
        error_level=np.broadcast_to(levels[:, None], shape),
        persona=np.broadcast_to(judges, shape),
    )
    public = catalogue.prompts[catalogue.public_of[prompt]]
    return Row(
        label=catalogue.prompts[prompt],
        detail=f"shared: {public} (similarity {catalogue.similarity[prompt]:.2f})",
        pictures=draw(plans),
        rewards=look_up(experience, cells),
    )


def _mean(experience: Experience, prompts: Indices, branches: Indices, level: int) -> Floats:
    """(branches,) mean reward over these prompts, all seeds and the whole panel."""
    seeds = np.arange(experience.catalogue.shape[1])
    panel = np.arange(len(experience.personas))
    prompt, seed, branch, persona = np.meshgrid(prompts, seeds, branches, panel, indexing="ij")
    cells = Cells(prompt, seed, branch, np.full_like(branch, level), persona)
    rewards = look_up(experience, cells)
    return np.asarray(np.nanmean(rewards, axis=(0, 1, 3)))
