"""What a table of answers says of validity, reliability and diversity. Pure.

Answers are (P, I), a row a persona and a column a statement, from 1 to 5, NaN where there is none.
A figure that cannot be computed is `None`, never a number.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtri

from qoe_service.interview.instruments import UNDESIRABLE, Instrument
from qoe_service.persona import TRAITS
from qoe_service.statistics.intervals import CONFIDENCE, Interval

Array = NDArray[np.float64]

ENOUGH = 8
"""Personas below which a correlation says nothing."""

RESAMPLES = 1_000

STILL = 1e-6
"""A standard deviation that is none: answers are kept in single precision."""

DESIRABLE = np.array([-1.0 if trait == UNDESIRABLE else 1.0 for trait in TRAITS])

LOWEST, HIGHEST = 1.0, 5.0


def keyed(answers: Array, instrument: Instrument) -> Array:
    """The answers (..., P, I) with those to reversed statements turned round: 6 - x."""
    return np.where(instrument.keys > 0, answers, LOWEST + HIGHEST - answers)


def scale_scores(answers: Array, instrument: Instrument) -> Array:
    """The mean answer (P, 5) of each trait, NaN where fewer than half of them were answered.

    For a statement without an answer stands what others answer to it, moved by how far this
    persona is from them in the rest: a statement that is easily agreed to moves nobody's score by
    being left out.
    """
    turned = keyed(answers, instrument)
    scales = [turned[:, instrument.traits == trait] for trait in range(len(TRAITS))]
    return np.stack([_scale_means(scale) for scale in scales], axis=1)


def t_scores(scores: Array) -> Array:
    """T-scores (P, 5), 50 and 10 being mean and SD of these very personas; NaN for too few."""
    spread = np.array([_spread(column) for column in scores.T])
    known = np.isfinite(spread) & (spread > STILL)
    return np.where(
        known, 50 + 10 * (scores - _column_means(scores)) / np.where(known, spread, 1.0), np.nan
    )


def correlation(one: Array, other: Array) -> float | None:
    """Pearson's r of two columns (P,); `None` for too few pairs, or if one of them stands still."""
    both = np.isfinite(one) & np.isfinite(other)
    x, y = one[both], other[both]
    if len(x) < ENOUGH or min(x.std(), y.std()) < STILL:
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def correlation_with_interval(one: Array, other: Array) -> Interval | None:
    """The same with the interval of Fisher's z."""
    r = correlation(one, other)
    if r is None:
        return None
    pairs = int((np.isfinite(one) & np.isfinite(other)).sum())
    z = math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12))
    margin = float(ndtri((1 + CONFIDENCE) / 2)) / math.sqrt(pairs - 3)
    return Interval(point=r, low=math.tanh(z - margin), high=math.tanh(z + margin))


def correlation_matrix(scores: Array, z: Array) -> list[list[float | None]]:
    """Scored traits (P, 5), a row each, against the file's z-scores (P, 5), a column each."""
    return [[correlation(scored, told) for told in z.T] for scored in scores.T]


def gap_intervals(scores: Array, z: Array, rng: np.random.Generator) -> list[Interval | None]:
    """Each trait's r with its own z-scores, less the mean |r| with the others'; last, their mean.

    Over the personas with all scores, intervals by bootstrap over them. `None` where a trait of
    either table stands still.
    """
    whole = np.isfinite(scores).all(axis=1)
    scores, z = scores[whole], z[whole]
    if len(z) < ENOUGH:
        return [None] * (len(TRAITS) + 1)
    drawn = rng.integers(len(z), size=(RESAMPLES, len(z)))
    resampled = np.array([_gaps(scores[rows], z[rows]) for rows in drawn])
    return [_interval(point, of) for point, of in zip(_gaps(scores, z), resampled.T, strict=True)]


def cronbach_alpha(answers: Array) -> Interval | None:
    """Cronbach's alpha of one scale's keyed answers (P, k) with Feldt's interval (1965).

    Over the personas who answered all of it. It may be negative: then the scale measures nothing.
    """
    whole = answers[np.isfinite(answers).all(axis=1)]
    people, items = whole.shape
    total = float(whole.sum(axis=1).var(ddof=1)) if people >= ENOUGH else 0.0
    if total < STILL**2:
        return None
    alpha = items / (items - 1) * (1 - float(whole.var(axis=0, ddof=1).sum()) / total)
    freedom = people - 1, (people - 1) * (items - 1)
    tail = (1 - CONFIDENCE) / 2
    low, high = (1 - (1 - alpha) * float(fdtri(*freedom, p)) for p in (1 - tail, tail))
    return Interval(point=alpha, low=low, high=high)


def style_shares(answers: Array, instrument: Instrument) -> tuple[float | None, float | None]:
    """How much of the variance of answers is agreeing to anything, and how much is looking good.

    Agreeing is the mean over traits of what a persona answers above the others to statements of
    either key; looking good is half the difference of the keys, summed towards the desirable pole.
    A judge of five independent traits shows 0 and 0.2 of them.
    """
    deviations = answers - _column_means(answers)
    positive, negative = (_by_trait(deviations, instrument, key) for key in (1, -1))
    total = float(np.nanmean(deviations**2)) if np.isfinite(deviations).any() else 0.0
    if total < STILL**2:
        return None, None
    agreeing = _row_means((positive + negative) / 2)
    pleasing = _row_means((positive - negative) / 2 * DESIRABLE)
    return _mean(agreeing**2) / total, _mean(pleasing**2) / total


def told_answers(z: Array, instrument: Instrument) -> Array:
    """What personas (P, 5) would answer if statements measured their z-scores and nothing else."""
    return np.asarray(z[:, instrument.traits] * instrument.keys)


def identical_share(answers: Array) -> float:
    """The share of personas whose whole answers, in full options, somebody else gave too."""
    filled = np.where(np.isfinite(answers), answers, np.nan_to_num(_column_means(answers)))
    _, inverse, counts = np.unique(np.rint(filled), axis=0, return_inverse=True, return_counts=True)
    return float((counts[inverse] > 1).mean())


def effective_dimensions(columns: Array) -> float | None:
    """How many traits (P, 5) vary by themselves: (sum of eigenvalues)^2 / sum of their squares.

    The participation ratio of the correlation matrix, from 1 (all are one) to 5 (all their own).
    """
    whole = columns[np.isfinite(columns).all(axis=1)]
    if len(whole) < ENOUGH or whole.std(axis=0).min() < STILL:
        return None
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(whole.T))
    return float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def spread(column: Array) -> float | None:
    """The standard deviation (n - 1) of a column, `None` for too few."""
    found = _spread(column)
    return found if math.isfinite(found) else None


def range_used(column: Array) -> float | None:
    """The share of the scale between the lowest and the highest score."""
    known = column[np.isfinite(column)]
    return float(np.ptp(known)) / (HIGHEST - LOWEST) if len(known) >= ENOUGH else None


def _scale_means(answers: Array) -> Array:
    usual = _column_means(answers)
    enough = 2 * np.isfinite(answers).sum(axis=1) >= answers.shape[1]
    return np.where(enough, _mean(usual) + _row_means(answers - usual), np.nan)


def _by_trait(deviations: Array, instrument: Instrument, key: int) -> Array:
    chosen = [
        (instrument.traits == trait) & (instrument.keys == key) for trait in range(len(TRAITS))
    ]
    return np.stack([_row_means(deviations[:, columns]) for columns in chosen], axis=1)


def _row_means(table: Array) -> Array:
    """Over what there is in each row; NaN for an empty one."""
    counts = np.isfinite(table).sum(axis=1)
    return np.where(counts, np.nansum(table, axis=1) / np.maximum(counts, 1), np.nan)


def _column_means(table: Array) -> Array:
    return np.array([_mean(column) for column in table.T])


def _mean(column: Array) -> float:
    known = column[np.isfinite(column)]
    return float(known.mean()) if len(known) else float("nan")


def _spread(column: Array) -> float:
    known = column[np.isfinite(column)]
    return float(known.std(ddof=1)) if len(known) >= ENOUGH else float("nan")


def _gaps(scores: Array, z: Array) -> Array:
    """The gap (5,) of each trait, NaN where one stands still, and their mean; (6,)."""
    still = np.minimum(scores.std(axis=0), z.std(axis=0)) < STILL
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.corrcoef(scores.T, z.T)[: len(TRAITS), len(TRAITS) :]
    own = table.diagonal()
    others = (np.abs(table).sum(axis=1) - np.abs(own)) / (len(TRAITS) - 1)
    gaps = np.where(still, np.nan, own - others)
    return np.append(gaps, gaps.mean())


def _interval(point: float, resampled: Array) -> Interval | None:
    if not math.isfinite(point):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return Interval(point=float(point), low=float(low), high=float(high))
