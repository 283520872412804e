"""Fit the judges to the reference set and write their calibration files.

    python -m qoe_service.judges.reference [--count 3000] [--seed 0]

Run it again whenever a model, the evidence or a measure changes.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from qoe_service.judges.appeal import Panel, key, offsets
from qoe_service.judges.calibration import fit_degree, fit_line, solve_increasing, standard_of
from qoe_service.judges.evidence import FOLDER, norm
from qoe_service.judges.measures import FEATURES_OF_PIXELS, columns, measure, quality_inputs
from qoe_service.judges.pixel import CALIBRATION_FILE, PixelCalibration, appeal_features
from qoe_service.judges.reference_set import ReferenceSet, draw_reference_set
from qoe_service.judges.scale import score
from qoe_service.statistics import variance_shares

Array = NDArray[np.float64]

logger = logging.getLogger(__name__)

PERSONA_SHARE = 0.09
"""Aim for the persona's share of rating variance: the middle of the published 5-14 %."""


def fit_pixel_judge(reference: ReferenceSet, name: str) -> PixelCalibration:
    """Everything the pixel judge takes from the reference set."""
    table = measure(reference.pictures)
    standard = standard_of(columns(table, FEATURES_OF_PIXELS)[reference.untouched])
    quality = fit_degree(quality_inputs(table), reference.quality)
    seen = logit(np.clip(quality.apply(quality_inputs(table)), 1e-3, 1 - 1e-3))
    liking = fit_line(seen, reference.liking)
    gain = fit_gain(reference.liking, appeal_features(table, standard), picture_keys(reference))
    return PixelCalibration(name=name, features=standard, quality=quality, liking=liking, gain=gain)


def fit_gain(shared: Array, features: Array, keys: NDArray[np.uint64]) -> float:
    """The gain that gives personas of the norm their share of the variance of ratings.

    `shared` is what all agree on, (N,). It is the truth of the reference set, not what one judge
    makes of it: a judge that sees little must not have personas that differ little.
    """
    panel = norm_panel(size=200, seed=0)

    def persona_share(gain: float) -> float:
        ratings = score(shared[:, None] + offsets(features, panel, keys, gain))
        return variance_shares(ratings).of_personas

    return round(solve_increasing(persona_share, PERSONA_SHARE, low=0.0, high=20.0), 3)


def norm_panel(size: int, seed: int) -> Panel:
    """People drawn from the norm: correlated traits, severities as `appeal` draws them."""
    rng = np.random.default_rng(seed)
    correlation = norm("sapa-bfi25-adults").correlation
    traits = rng.multivariate_normal(np.zeros(len(correlation)), correlation, size=size)
    keys = rng.integers(2**63, size=size, dtype=np.uint64)
    return Panel(traits, rng.normal(0, 0.1, size), keys)


def picture_keys(reference: ReferenceSet) -> NDArray[np.uint64]:
    """Identities of the pictures."""
    return np.array([key(p.sha256) for p in reference.pictures], dtype=np.uint64)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="pictures in the reference set")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    reference = draw_reference_set(options.count, options.seed)
    name = f"drawn-{options.count}-seed-{options.seed}"
    calibration = fit_pixel_judge(reference, name)
    path = Path(str(FOLDER / CALIBRATION_FILE))
    path.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    logger.info(
        "wrote %s: gain %.3f, residual SD %.3f",
        path.name,
        calibration.gain,
        calibration.liking.residual_sd,
    )


if __name__ == "__main__":
    main()
