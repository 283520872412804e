"""How well the statistics of ratings find what is there: `python benchmarks/rating_statistics.py`.

Everything is simulated, so that the truth is known; the seeds are fixed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qoe_service.errors import UnusableRatings
from qoe_service.statistics import (
    bounded_opinion_score,
    controlled_opinions,
    effect_budget,
    mean_opinion_score,
    plan_allocation,
    screen,
    sos_parameter,
    subject_model,
    tastes_by_feature,
    tastes_by_item,
)

BIAS_SD, SCATTER, MISSING = 0.3, 0.3, 0.2


@dataclass(frozen=True)
class Truth:
    """Ratings drawn from the subject model, with gaps, and what they were drawn from."""

    scores: np.ndarray
    quality: np.ndarray
    bias: np.ndarray
    inconsistency: np.ndarray

    @property
    def bound(self) -> float:
        """Cramer-Rao, biases and inconsistencies known: the least RMSE of unbiased qualities."""
        weights = np.isfinite(self.scores) / self.inconsistency**2
        return float(np.sqrt((1 / weights.sum(axis=1)).mean()))


def simulated(seed: int, inconsistency: float, items: int = 60, raters: int = 24) -> Truth:
    rng = np.random.default_rng(seed)
    quality, bias = rng.uniform(1.3, 4.7, items), rng.normal(0, BIAS_SD, raters)
    bias -= bias.mean()
    spread = inconsistency * np.exp(rng.normal(0, SCATTER, raters))
    scores = quality[:, None] + bias + spread * rng.normal(size=(items, raters))
    scores[rng.random(scores.shape) < MISSING] = np.nan
    return Truth(scores, quality, bias, spread)


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).mean()))


def interval(values: list[float]) -> str:
    """Mean and 95 % interval over the seeds."""
    mos = np.mean(values), 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mos[0]:.4f} +- {mos[1]:.4f}"


def recovery(seeds: int) -> None:
    """P.910 at three inconsistencies: 0.1 is what personas of the CLIP judge show once their tastes
    are out, 0.45 to 0.86 what the people of the sample data of P.910's demonstration do."""
    print(f"P.910, 60 items x 24 raters, {MISSING:.0%} missing, bias SD {BIAS_SD}, {seeds} seeds")
    print("inconsistency   quality RMSE        bound    plain MOS  bias r (least)    covered")
    for inconsistency in (0.1, 0.2, 0.6):
        truths = [simulated(seed, inconsistency) for seed in range(seeds)]
        models = [subject_model(truth.scores) for truth in truths]
        pairs = list(zip(models, truths, strict=True))
        errors = [rmse(model.quality, truth.quality) for model, truth in pairs]
        plain = [rmse(np.nanmean(truth.scores, axis=1), truth.quality) for truth in truths]
        bias = [float(np.corrcoef(model.bias, truth.bias)[0, 1]) for model, truth in pairs]
        inside = [np.abs(m.quality - t.quality) < 1.96 * m.quality_errors for m, t in pairs]
        bound = np.mean([truth.bound for truth in truths])
        print(
            f"{inconsistency:8.1f}   {interval(errors)}   {bound:8.4f}   {np.mean(plain):8.4f}   "
            f"{np.mean(bias):.3f} ({min(bias):.3f})   {np.mean(inside):8.3f}"
        )


def with_tastes(seeds: int) -> None:
    """What becomes of inconsistency and quality if what personas like is left in, or taken out."""
    told: dict[str, list[tuple[float, float]]] = {"left in": [], "by item": [], "by feature": []}
    for seed in range(seeds):
        truth, rng = simulated(seed, 0.2), np.random.default_rng(1000 + seed)
        traits, features = rng.normal(size=(24, 5)), rng.normal(size=(60, 6))
        features, traits = features - features.mean(axis=0), traits - traits.mean(axis=0)
        scores = truth.scores + features @ rng.normal(0, 0.1, size=(6, 5)) @ traits.T
        by_item = tastes_by_item(scores, traits)
        by_feature = tastes_by_feature(scores, traits, features)
        models = (
            subject_model(scores),
            subject_model(by_item.rest, by_item.freedom),
            subject_model(by_feature.rest, by_feature.freedom),
        )
        for name, model in zip(told, models, strict=True):
            ratio = float((model.inconsistency / truth.inconsistency).mean())
            told[name].append((rmse(model.quality, truth.quality), ratio))
    print("\nTastes, 6 features x 5 traits: quality RMSE, inconsistency told / true")
    for name, pairs in told.items():
        print(f"{name:12} {np.mean(pairs, axis=0).round(3)}")


def screening(seeds: int) -> None:
    """How many raters BT.500 rejects who do exactly as the subject model says."""
    found = [screen(simulated(seed, 0.6).scores).rejected.mean() for seed in range(seeds)]
    print(f"\nBT.500 rejects {np.mean(found):.1%} of raters who do nothing odd")


def opinion_intervals(seeds: int) -> None:
    print("\nCoverage of the MOS interval (grades 1-5): Student's t, scale-bounded; mean widths")
    rng = np.random.default_rng(0)
    for mean, sd, n in ((3.0, 0.8, 8), (4.6, 0.6, 8), (1.2, 0.5, 5), (3.0, 0.8, 24)):
        people = np.clip(np.round(rng.normal(mean, sd, 200_000)), 1, 5)
        told = [
            (mos.low <= people.mean() <= mos.high, mos.high - mos.low)
            for panel in rng.choice(people, size=(40 * seeds, n))
            for mos in (mean_opinion_score(panel), bounded_opinion_score(panel))
        ]
        student, bounded = np.mean(told[::2], axis=0), np.mean(told[1::2], axis=0)
        print(f"MOS {people.mean():.2f}, n = {n:2}: {student.round(3)} {bounded.round(3)}")


def allocation() -> None:
    rng = np.random.default_rng(0)
    spread, mean = rng.uniform(0.2, 1.0, 1000), rng.uniform(2, 4, 1000)
    everybody = mean[:, None] + spread[:, None] * rng.normal(size=(1000, 200))
    scores = np.full(everybody.shape, np.nan)
    while not (plan := plan_allocation(scores, 0.3)).finished:
        for item, personas in enumerate(plan.ask_next):
            scores[item, list(personas)] = everybody[item, list(personas)]
    covered = np.abs(np.nanmean(scores, axis=1) - mean) <= plan.half_widths
    fixed = int(np.ceil((1.96 * spread.max() / 0.3) ** 2))
    print(
        f"\nAllocation to +-0.3, 1000 items, SD 0.2 to 1: {plan.asked.mean():.1f} personas an item "
        f"against {fixed} for all alike; covered {covered.mean():.3f}"
    )


def control_variate(seeds: int) -> None:
    rng = np.random.default_rng(0)
    control = rng.normal(3, 0.6, size=(20, 200))
    own = rng.normal(0, 0.6, size=control.shape)
    print("\nControl variate, 20 items, 8 of 200 personas asked: bias, covered, variance reduced")
    for r in (0.0, 0.5, 0.8):
        opinions = np.clip(3 + r * (control - 3) + np.sqrt(1 - r**2) * own, 1, 5)
        truth, off, plain, covered = opinions.mean(axis=1), [], [], []
        for _ in range(10 * seeds):
            asked = np.argsort(rng.random(opinions.shape), axis=1) < 8
            found = controlled_opinions(np.where(asked, opinions, np.nan), control)
            off.append(found.means - truth)
            plain.append(found.plain_means - truth)
            covered.append((found.low <= truth) & (truth <= found.high))
        error = np.std(off) / np.sqrt(np.size(off))
        print(
            f"r = {r}: {np.mean(off):+.4f} +- {1.96 * error:.4f}, {np.mean(covered):.3f}, "
            f"{np.var(plain) / np.var(off):.2f} times (theory {1 / (1 - r**2):.2f})"
        )


def timed(what: str, work: Callable[[], object]) -> None:
    started = time.perf_counter()
    try:
        work()
    except UnusableRatings as error:
        print(f"{what}: {error}")
        return
    print(f"{what:44} {time.perf_counter() - started:7.3f} s")


def timings() -> None:
    truth, rng = simulated(0, 0.6, raters=1000), np.random.default_rng(0)
    scores = np.clip(truth.scores, 1, 5)
    traits, features = rng.normal(size=(1000, 5)), rng.normal(size=(60, 14))
    print(f"\n60 items x 1,000 raters, {MISSING:.0%} missing")
    timed("subject model (P.910)", lambda: subject_model(scores))
    timed("tastes by item", lambda: tastes_by_item(scores, traits))
    timed("tastes by 14 features", lambda: tastes_by_feature(scores, traits, features))
    timed("screening (BT.500)", lambda: screen(scores))
    timed("SOS parameter", lambda: sos_parameter(scores))
    timed("effect budget, 500 resamples", lambda: effect_budget(scores, rng))
    timed("allocation", lambda: plan_allocation(scores, 0.3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    seeds = parser.parse_args().seeds
    recovery(seeds)
    with_tastes(seeds)
    screening(seeds)
    opinion_intervals(seeds)
    allocation()
    control_variate(seeds)
    timings()


if __name__ == "__main__":
    main()
