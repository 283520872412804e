"""Fitting a judge to a reference set: small convex fits, frozen as data afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.optimize import brentq, minimize
from scipy.special import expit

Array = NDArray[np.float64]

RIDGE = 1e-3
"""Keeps the weights of inputs that tell nothing near 0; the loss is a mean over samples."""

FEATURE_LIMIT = 2.5
"""Standardised features are cut here, in SD: beyond it the reference set says nothing."""


class Frozen(BaseModel):
    """Part of a calibration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Standard(Frozen):
    """The mean and SD of K columns over the reference set."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def apply(self, columns: Array) -> Array:
        """Columns (N, K) in SDs from the mean, cut at +-2.5."""
        z = (columns - np.asarray(self.mean)) / np.asarray(self.sd)
        return np.asarray(np.clip(z, -FEATURE_LIMIT, FEATURE_LIMIT))


class Degree(Frozen):
    """A degree in [0, 1] read off K standardised inputs through a logistic curve."""

    standard: Standard
    weights: tuple[float, ...]
    intercept: float

    def apply(self, inputs: Array) -> Array:
        """Degrees (N,) of inputs (N, K)."""
        total = self.standard.apply(inputs) @ np.asarray(self.weights) + self.intercept
        return np.asarray(expit(total))


class Line(Frozen):
    """A straight calibration with what it leaves unexplained."""

    intercept: float
    slope: float
    residual_sd: float

    def apply(self, values: Array) -> Array:
        """Calibrated values."""
        return self.intercept + self.slope * values


def standard_of(columns: Array) -> Standard:
    """The frozen mean and SD of columns (N, K); a column that never varies counts as SD 1."""
    sd = columns.std(axis=0)
    sd = np.where(sd < 1e-9, 1.0, sd)
    return Standard(mean=rounded(columns.mean(axis=0)), sd=rounded(sd))


def fit_degree(inputs: Array, targets: Array) -> Degree:
    """Logistic regression of targets in [0, 1] (N,) on inputs (N, K), soft targets allowed."""
    standard = standard_of(inputs)
    design = np.column_stack([standard.apply(inputs), np.ones(len(inputs))])

    def loss(weights: Array) -> tuple[float, Array]:
        total = design @ weights
        cross_entropy = np.logaddexp(0, total) - targets * total
        penalty = RIDGE * float(weights[:-1] @ weights[:-1])
        slope = design.T @ (expit(total) - targets) / len(targets)
        slope[:-1] += 2 * RIDGE * weights[:-1]
        return float(cross_entropy.mean()) + penalty, slope

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B")
    *weights, intercept = rounded(found.x)
    return Degree(standard=standard, weights=tuple(weights), intercept=intercept)


def fit_line(values: Array, targets: Array) -> Line:
    """Least squares of targets on values, both (N,)."""
    slope, intercept = np.polyfit(values, targets, 1)
    residual = targets - (intercept + slope * values)
    intercept, slope, residual_sd = rounded(np.array([intercept, slope, residual.std(ddof=2)]))
    return Line(intercept=intercept, slope=slope, residual_sd=residual_sd)


def solve_increasing(
    function: Callable[[float], float], target: float, *, low: float, high: float
) -> float:
    """Where an increasing function reaches `target`, between `low` and `high`."""
    return float(brentq(lambda value: function(value) - target, low, high, xtol=1e-3))


def rounded(values: Array) -> tuple[float, ...]:
    """Six significant digits: what the file holds is what was fitted with."""
    return tuple(float(f"{value:.6g}") for value in values)
