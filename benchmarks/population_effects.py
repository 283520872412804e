"""What a sampled population makes of drawn pictures: `python benchmarks/population_effects.py`.

Pictures that no calibration has seen, judged by people drawn from the norm: the share of the
variance that depends on who looks (published for people: 5 to 14 %), the SOS parameter, and how
many replicated findings a flipped trait follows. Each seed draws other pictures and other people.
"""

from __future__ import annotations

import argparse

import numpy as np

from qoe_service.examination.flips import flip_traits
from qoe_service.examination.hearing import fresh_judge, hear
from qoe_service.judges import Case, Judge
from qoe_service.judges.reference_set import draw_reference_set
from qoe_service.population import sample_population
from qoe_service.reports.bounds import PEOPLE_SOS, PERSONA_BAND
from qoe_service.settings import Settings
from qoe_service.statistics import effect_budget, sos_parameter
from qoe_service.statistics.intervals import Interval

FIRST_PICTURE_SEED = 20_000
SECONDS = 600


def main() -> None:
    """Judge, decompose, flip and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", default="clip")
    parser.add_argument("--norm", default="sapa-bfi25-adults")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=24, help="of pictures, for each feature")
    options = parser.parse_args()
    settings = Settings()
    for seed in range(options.seeds):
        with fresh_judge(settings, options.tier) as judge:
            scores = judged(
                judge, options.norm, people=options.people, pictures=options.pictures, seed=seed
            )
        rng = np.random.default_rng(seed)
        budget, spread = effect_budget(scores, rng), sos_parameter(scores)
        print(
            f"seed {seed}: {scores.shape[0]} pictures, {scores.shape[1]} people of {options.norm}\n"
            f"  of the variance depends on who looks {beside(budget.of_personas, PERSONA_BAND)}\n"
            f"    severity {told(budget.persona)}, who likes what {told(budget.interaction)}\n"
            f"  SOS parameter {beside(spread.a, PEOPLE_SOS)}"
        )
    with fresh_judge(settings, options.tier) as judge:
        found = flip_traits(judge, pairs=options.pairs, people=8, seconds=SECONDS)
    print(
        f"flips: {found.hits} of {found.asked} replicated findings as expected "
        f"[{found.low:.2f}, {found.high:.2f}], {found.judgments:,} judgments"
    )
    for flip in found.flips:
        outcome = (
            f"not asked: {flip.reason}"
            if flip.change is None
            else f"{flip.change:+.3f} [{flip.low:+.3f}, {flip.high:+.3f}], {flip.verdict}"
        )
        print(f"  {flip.trait} +2 SD, {flip.feature} {flip.expected}: {outcome}")


def judged(judge: Judge, norm: str, *, people: int, pictures: int, seed: int) -> np.ndarray:
    """Scores (pictures, people) of pictures as they were asked for and spoilt ones, as drawn."""
    drawn = draw_reference_set(pictures, FIRST_PICTURE_SEED + seed)
    cases = [Case(p, prompt) for p, prompt in zip(drawn.pictures, drawn.prompts, strict=True)]
    panel = sample_population(norm, people, seed=seed).personas
    scores = hear(judge, cases, panel, SECONDS).scores
    return scores[np.isfinite(scores).all(axis=1)]


def beside(found: Interval, published: tuple[float, float]) -> str:
    """A figure, and whether it lies where people's do."""
    low, high = published
    where = "inside" if low <= found.point <= high else "OUTSIDE"
    return f"{told(found)}, {where} {low} to {high}"


def told(found: Interval) -> str:
    """A figure with its interval."""
    return f"{found.point:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
