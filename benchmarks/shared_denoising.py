"""The published behaviour of shared denoising, seen in the pictures that tinyworld draws.

    python benchmarks/shared_denoising.py [--pairs 128] [--seed 0]

Alignment with the user's own prompt against shared steps (0 to 9 of 10), for look-alike and for
unlike public prompts, and against bit errors on the latent handed over at half of the steps.
Writes docs/figures/shared_denoising.png and .json beside it: means and 95 % bootstrap intervals.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch

from allocator.diffusion import sharing_study as study
from allocator.diffusion.generator import Generator
from allocator.diffusion.pictures import PictureStore
from tinyworld.captions import plain_caption
from tinyworld.clip import load_clip
from tinyworld.diffusion import load_diffusion

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
COLOURS = {"similar": "#0072b2", "dissimilar": "#d55e00", "bit errors": "#009e73"}


def measure(pairs: int, seed: int) -> dict[str, Any]:
    """Every alignment, pair by pair."""
    generator = Generator(load_diffusion(), PictureStore())
    clip, rng = load_clip(), np.random.default_rng(seed)
    similar, dissimilar = study.similar_pairs(pairs, rng), study.dissimilar_pairs(pairs, rng)
    began = time.perf_counter()
    tables = {
        "similar": study.by_shared_steps(generator, clip, similar),
        "dissimilar": study.by_shared_steps(generator, clip, dissimilar),
        "bit errors": study.by_error_rate(generator, clip, similar),
    }
    change = study.change_by_error_rate(generator, similar)
    counts = asdict(generator.counts) | {"seconds": time.perf_counter() - began}
    cosines = {"similar": cosine(generator, similar), "dissimilar": cosine(generator, dissimilar)}
    return {"tables": tables, "change": change, "counts": counts, "cosines": cosines}


def cosine(generator: Generator, pairs: list[study.Pair]) -> float:
    """Mean similarity of the own and the public prompt to the model that draws."""
    own = generator.diffusion.embed_text([plain_caption(pair.own) for pair in pairs])
    public = generator.diffusion.embed_text([plain_caption(pair.public) for pair in pairs])
    return float((own * public).sum(dim=1).mean())


def summarise(measured: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Means with intervals, the shares kept and the fitted curves, ready for JSON."""
    tables = measured["tables"]
    curves = {
        name: [asdict(study.mean_over_pairs(column, rng)) for column in table.T]
        for name, table in tables.items()
    }
    kept = {
        name: [asdict(study.kept(table, column, rng)) for column in range(1, table.shape[1])]
        for name, table in tables.items()
    }
    fits = {
        name: asdict(study.fit_logistic(study.SHARED_STEPS, tables[name].mean(axis=0)))
        for name in ("similar", "dissimilar")
    }
    return {
        "shared_steps": study.SHARED_STEPS,
        "bit_error_rates": study.ERROR_RATES,
        "alignment": curves,
        "share_kept": kept,
        "logistic_fits": fits,
        "change_by_bit_errors": [
            asdict(study.mean_over_pairs(column, rng)) for column in measured["change"].T
        ],
        "prompt_cosine": measured["cosines"],
        "generator": measured["counts"],
    }


def draw(summary: dict[str, Any], file: Path) -> None:
    """Two panels: shared steps on the left, bit errors on the right."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    fine = np.linspace(0, study.SHARED_STEPS[-1], 200)
    for name in ("similar", "dissimilar"):
        label = f"{name} public prompt (cosine {summary['prompt_cosine'][name]:.2f})"
        points(left, summary["shared_steps"], summary["alignment"][name], name, label)
        left.plot(fine, study.Logistic(**summary["logistic_fits"][name])(fine), color=COLOURS[name])
    rates_percent = [100 * rate for rate in summary["bit_error_rates"]]
    points(right, rates_percent, summary["alignment"]["bit errors"], "bit errors", None)
    right.plot(
        rates_percent,
        [point["point"] for point in summary["alignment"]["bit errors"]],
        color=COLOURS["bit errors"],
    )
    left.set(
        xlabel=f"shared steps of {study.TOTAL_STEPS}",
        ylabel="alignment with the own prompt",
        ylim=(0, 1),
        xticks=study.SHARED_STEPS,
        title="Sharing: measured points, logistic fits",
    )
    right.set(
        xlabel=f"bit errors (%) on the latent after {study.HALF} steps",
        title="The air: own prompt throughout",
    )
    left.legend(frameon=False, loc="lower left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def points(
    axes: Any, x: Any, intervals: list[dict[str, float]], name: str, label: str | None
) -> None:
    """Measured means with their intervals."""
    means = np.array([interval["point"] for interval in intervals])
    below = means - [interval["low"] for interval in intervals]
    above = np.array([interval["high"] for interval in intervals]) - means
    axes.errorbar(
        x, means, yerr=[below, above], fmt="o", capsize=3, color=COLOURS[name], label=label
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measured = measure(arguments.pairs, arguments.seed)
    summary = summarise(measured, np.random.default_rng(arguments.seed))
    summary["command"] = vars(arguments)
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / "shared_denoising.json").write_text(json.dumps(summary, indent=1) + "\n")
    draw(summary, FIGURES / "shared_denoising.png")
    for name, shares in summary["share_kept"].items():
        print(f"{name:11}", " ".join(f"{share['point']:.2f}" for share in shares))
    change = summary["change_by_bit_errors"]
    print("squared grey levels changed", " ".join(f"{rate['point']:.0f}" for rate in change))
    for name, fit in summary["logistic_fits"].items():
        print(f"{name:11}", " ".join(f"{key} {value:.3f}" for key, value in fit.items()))


if __name__ == "__main__":
    main()
