"""A cheap score that is known for everybody makes the mean of a few dear ones more certain.

The control is what a cheap judge (CLIP) says for the very persona and item; its mean over the whole
panel is known. Where those who were asked got a higher control than the panel does, their opinions
are likely too high as well, by the slope of opinion on control.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qoe_service.errors import UnusableRatings
from qoe_service.schemas import HIGHEST_SCORE, LOWEST_SCORE
from qoe_service.statistics.intervals import student_quantile

Array = NDArray[np.float64]

LEAST_RATINGS = 2
LEAST_FREEDOM = 6
"""Fewer opinions beyond the first of each item tell the slope so badly that it does harm."""


@dataclass(frozen=True)
class ControlledOpinions:
    """Means of I items, corrected by the control; 95 % intervals, cut off at the scale's ends."""

    means: Array
    low: Array
    high: Array
    plain_means: Array
    slope: float
    """What a point of the control is worth in opinion, over all ratings."""
    variance_reduction: float
    """How many times as many personas the plain mean would need; below 1 the control does harm."""


def controlled_opinions(scores: Array, controls: Array) -> ControlledOpinions:
    """Mean opinions of the whole panel on items (I, R), NaN where a persona was not asked.

    Assumes that who was asked about an item was drawn at random from the panel, all alike, whatever
    the opinions. Nothing is assumed of how opinion follows control: the slope that corrects a
    persona's opinion is fitted to the others alone and applied to the part of the panel that it was
    drawn from (Mickey, Journal of the American Statistical Association, 1959), so that the mean is
    exactly unbiased; a control that tells nothing only costs a little certainty. Intervals are
    those of a large panel: too wide where much of the panel was asked, and too narrow for a single
    item whose opinions follow the control in a strong curve.

    Args:
        scores: (I, R) opinions.
        controls: (I, R) controls of everybody.

    Raises:
        UnusableRatings: for shapes that do not fit, a missing control, an item with fewer than 2
            opinions, or fewer than 6 opinions beyond the first of each item.
    """
    _check(scores, controls)
    there = np.isfinite(scores)
    counts, panel = there.sum(axis=1), scores.shape[1]
    plain = np.where(there, scores, 0.0).sum(axis=1) / counts
    known = controls.mean(axis=1, keepdims=True)
    asked = np.where(there, controls, 0.0).sum(axis=1, keepdims=True) / counts[:, None]
    off = np.where(there, scores - plain[:, None], 0.0)
    control_off = np.where(there, controls - asked, 0.0)
    slopes = _slopes_without_each(off, control_off, counts)
    surplus = asked - known + (1 - counts[:, None] / panel) * control_off
    means = plain - np.where(there, slopes * surplus, 0.0).sum(axis=1) / counts
    variances = _variances(scores - slopes * (controls - known), there)
    reach = np.array([student_quantile(int(n) - 1) for n in counts]) * np.sqrt(variances / counts)
    return ControlledOpinions(
        means=np.clip(means, LOWEST_SCORE, HIGHEST_SCORE),
        low=np.clip(means - reach, LOWEST_SCORE, HIGHEST_SCORE),
        high=np.clip(means + reach, LOWEST_SCORE, HIGHEST_SCORE),
        plain_means=plain,
        slope=_ratio(float((off * control_off).sum()), float(np.square(control_off).sum())),
        variance_reduction=_reduction(_variances(scores, there), variances, counts),
    )


def _slopes_without_each(off: Array, control_off: Array, counts: NDArray[np.int64]) -> Array:
    """(R,) the slope within items, fitted without each persona in turn.

    Leaving one of n out takes n / (n - 1) times its product of deviations from a sum of them.
    """
    left_out = (counts / (counts - 1))[:, None]
    products, squares = off * control_off, np.square(control_off)
    top = products.sum() - (left_out * products).sum(axis=0)
    bottom = squares.sum() - (left_out * squares).sum(axis=0)
    slopes: Array = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 1e-12)
    return slopes


def _variances(table: Array, there: NDArray[np.bool_]) -> Array:
    """Unbiased variance of each row, over what is there."""
    counts = there.sum(axis=1)
    means = np.where(there, table, 0.0).sum(axis=1, keepdims=True) / counts[:, None]
    variances: Array = np.square(np.where(there, table - means, 0.0)).sum(axis=1) / (counts - 1)
    return variances


def _reduction(before: Array, after: Array, counts: NDArray[np.int64]) -> float:
    """Ratio of the variances of the means, averaged over items."""
    return _ratio(float((before / counts).mean()), float((after / counts).mean()), otherwise=1.0)


def _ratio(top: float, bottom: float, otherwise: float = 0.0) -> float:
    return top / bottom if bottom > 1e-12 else otherwise


def _check(scores: Array, controls: Array) -> None:
    if scores.ndim != 2 or controls.shape != scores.shape or not np.isfinite(controls).all():
        raise UnusableRatings(
            f"opinions {scores.shape} need a control of every persona and item, got "
            f"{int(np.isfinite(controls).sum())} in {controls.shape}"
        )
    counts = np.isfinite(scores).sum(axis=1)
    if counts.min(initial=LEAST_RATINGS) < LEAST_RATINGS:
        item = int(counts.argmin()) + 1
        raise UnusableRatings(f"item number {item} needs {LEAST_RATINGS} opinions or more")
    if (counts - 1).sum() < LEAST_FREEDOM:
        raise UnusableRatings(
            f"{counts.sum()} opinions on {len(counts)} items are too few to tell how opinion "
            "follows the control; report the plain mean"
        )
