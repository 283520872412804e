"""Does the generator behave as published? Alignment against shared steps and against bit errors.

The published observations, made on much larger models: alignment with a user's own prompt falls in
an S as more steps are shared; a look-alike prompt survives a switch at half of the steps, an unlike
one survives at a fifth and fails at half; the remaining steps repair up to 2 % of bit errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import curve_fit
from scipy.stats import bootstrap

from allocator.arrays import Floats
from allocator.diffusion.alignment import alignment
from allocator.diffusion.generator import Generator
from allocator.experiments.intervals import Interval
from allocator.plan import SHARED_GUIDANCE, DenoisingPlan, Handoff, shared_then_personal
from tinyworld.captions import plain_caption
from tinyworld.clip import TinyClip
from tinyworld.scenes import Scene, sample_scene

TOTAL_STEPS = 10
SHARED_STEPS = tuple(range(TOTAL_STEPS))
ERROR_RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
HALF, FIFTH = TOTAL_STEPS // 2, TOTAL_STEPS // 5
LOOK_ALIKES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("man",): ("woman",),
    ("woman",): ("man",),
    ("dog",): ("cat",),
    ("cat",): ("dog",),
}


@dataclass(frozen=True)
class Pair:
    """A user's own scene, the scene said in public, and the seed of the common first latent."""

    own: Scene
    public: Scene
    seed: int


def similar_pairs(count: int, rng: np.random.Generator) -> list[Pair]:
    """Scenes that differ in the subject only, and there by a look-alike (a dog and a cat)."""
    owners = (_scene_with_one_subject(rng) for _ in range(count))
    return [Pair(own, _look_alike(own), int(rng.integers(2**31))) for own in owners]


def dissimilar_pairs(count: int, rng: np.random.Generator) -> list[Pair]:
    """Scenes that have neither place, time, style nor subject in common."""
    pairs: list[Pair] = []
    while len(pairs) < count:
        own, public = _scene_with_one_subject(rng), _scene_with_one_subject(rng)
        factors = ("place", "time", "style", "subjects")
        if all(getattr(own, factor) != getattr(public, factor) for factor in factors):
            pairs.append(Pair(own, public, int(rng.integers(2**31))))
    return pairs


def _scene_with_one_subject(rng: np.random.Generator) -> Scene:
    while (scene := sample_scene(rng)).subjects not in LOOK_ALIKES:
        pass
    return scene


def _look_alike(scene: Scene) -> Scene:
    return replace(scene, subjects=LOOK_ALIKES[scene.subjects])


def by_shared_steps(generator: Generator, clip: TinyClip, pairs: Sequence[Pair]) -> Floats:
    """Alignment (pairs, 10) with the own prompt after 0, 1, ... 9 of 10 steps were shared."""
    plans = [_plan(pair, pair.public, steps) for pair in pairs for steps in SHARED_STEPS]
    return _alignment(generator, clip, pairs, plans)


def by_error_rate(generator: Generator, clip: TinyClip, pairs: Sequence[Pair]) -> Floats:
    """Alignment (pairs, error rates) if the latent crosses the air after half of the steps.

    The steps before are drawn under the own prompt too, so that only bit errors do harm.
    """
    return _alignment(generator, clip, pairs, _over_the_air(pairs))


def change_by_error_rate(generator: Generator, pairs: Sequence[Pair]) -> Floats:
    """Mean squared difference (pairs, error rates) in grey levels from the picture without errors.

    The prompt may still be shown well by another picture; this tells how much it is another.
    """
    pictures = generator.run(_over_the_air(pairs)).astype(float)
    per_pair = pictures.reshape(len(pairs), len(ERROR_RATES), -1)
    change: Floats = np.square(per_pair - per_pair[:, :1]).mean(axis=2)
    return change


def _over_the_air(pairs: Sequence[Pair]) -> list[DenoisingPlan]:
    return [_plan(pair, pair.own, HALF, rate) for pair in pairs for rate in ERROR_RATES]


def _plan(pair: Pair, public: Scene, steps: int, error_rate: float = 0.0) -> DenoisingPlan:
    return shared_then_personal(
        seed=pair.seed,
        public_prompt=plain_caption(public),
        own_prompt=plain_caption(pair.own),
        shared_steps=steps,
        total_steps=TOTAL_STEPS,
        handoff=Handoff(8, error_rate),
        shared_guidance=SHARED_GUIDANCE,
    )


def _alignment(
    generator: Generator, clip: TinyClip, pairs: Sequence[Pair], plans: Sequence[DenoisingPlan]
) -> Floats:
    pictures = generator.run(plans)
    per_pair = len(plans) // len(pairs)
    owners = [pair for pair in pairs for _ in range(per_pair)]
    own, public = [pair.own for pair in owners], [pair.public for pair in owners]
    return alignment(clip, pictures, own, public).reshape(len(pairs), per_pair)


def mean_over_pairs(values: Floats, rng: np.random.Generator) -> Interval:
    """The mean over pairs and its interval."""
    return _over_pairs((values,), np.mean, rng)


def kept(table: Floats, column: int, rng: np.random.Generator) -> Interval:
    """Share of the alignment in column 0 that is left in another."""
    return _over_pairs((table[:, 0], table[:, column]), _share, rng)


def lead(first: Floats, second: Floats, column: int, rng: np.random.Generator) -> Interval:
    """How much more of column 0 is left in a column of one table than in that of another."""
    columns = (first[:, 0], first[:, column], second[:, 0], second[:, column])
    return _over_pairs(columns, _lead, rng)


def _share(before: Floats, after: Floats, axis: int = -1) -> Floats:
    share: Floats = after.mean(axis=axis) / before.mean(axis=axis)
    return share


def _lead(before: Floats, after: Floats, other: Floats, later: Floats, axis: int = -1) -> Floats:
    return _share(before, after, axis) - _share(other, later, axis)


def _over_pairs(
    columns: tuple[Floats, ...], statistic: Callable[..., Any], rng: np.random.Generator
) -> Interval:
    """A statistic of columns and its interval, with whole pairs drawn anew."""
    drawn = bootstrap(
        columns, statistic, paired=True, n_resamples=2000, method="percentile", rng=rng
    ).confidence_interval
    return Interval(float(statistic(*columns)), float(drawn.low), float(drawn.high))


@dataclass(frozen=True)
class Logistic:
    """Q(x) = drop / (1 + exp(steepness (x - middle))) + floor: an S that falls."""

    drop: float
    steepness: float
    middle: float
    floor: float
    rmse: float

    def __call__(self, shared_steps: ArrayLike) -> Floats:
        """The fitted alignment after so many shared steps."""
        return _logistic(
            np.asarray(shared_steps), self.drop, self.steepness, self.middle, self.floor
        )


def fit_logistic(shared_steps: ArrayLike, alignments: ArrayLike) -> Logistic:
    """Least-squares fit of the S in which published alignment falls with shared steps [Q-rel]."""
    steps, values = np.asarray(shared_steps, float), np.asarray(alignments, float)
    start = (float(np.ptp(values)), 1.0, float(steps.mean()), float(values.min()))
    bounds = ([0.0, 0.0, steps.min(), 0.0], [2.0, 20.0, steps.max(), 1.0])
    fitted = curve_fit(_logistic, steps, values, p0=np.clip(start, *bounds), bounds=bounds)[0]
    drop, steepness, middle, floor = map(float, fitted)
    rmse = float(np.sqrt(np.mean((_logistic(steps, *fitted) - values) ** 2)))
    return Logistic(drop, steepness, middle, floor, rmse)


def _logistic(x: Floats, drop: float, steepness: float, middle: float, floor: float) -> Floats:
    curve: Floats = drop / (1 + np.exp(steepness * (x - middle))) + floor
    return curve
