"""Recursive least squares and an adaptive mixture of distributions, for numba."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ontogeny.machine.kernel_cache import compiled

SCALES = 7
"""Widths that are tried of each shape, a factor of sqrt 2 apart."""
FIRST = 1e6
"""The inverse correlation at the beginning, of samples from -1 to 1: nearly nothing is known."""
SHARED, KEPT = 1e-6, 0.98
"""The share that is even over all samples, and how much a shape's past counts still a sample later."""


@compiled
def normal(x: float) -> float:
    """The share of a normal distribution below x."""
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@compiled
def laplace(x: float) -> float:
    """The share of a Laplace distribution of scale 1 below x."""
    return 0.5 * math.exp(x) if x < 0 else 1.0 - 0.5 * math.exp(-x)


@compiled
def shares(value: float, middle: float, width: float, found: Any) -> None:
    """What each shape gives to the whole number `value`: normal and Laplace distributions about a middle."""
    low, high = value - 0.5 - middle, value + 0.5 - middle
    if low > 0:  # both are even about the middle, and below it a difference keeps its digits
        low, high = -high, -low
    for scale in range(SCALES):
        size = max(width * 2.0 ** (0.5 * (scale - SCALES // 2)), 0.05)
        found[2 * scale] = normal(high / size) - normal(low / size)
        found[2 * scale + 1] = laplace(1.2 * high / size) - laplace(1.2 * low / size)


@compiled
def mixture(samples: Any, predicted: Any, half: float) -> float:
    """Bits of samples f64[n] from -half to half - 1, by several predictions of each, f64[m, n], and all shapes of each.

    Each pair of a prediction and a shape has a weight, which follows how well it did lately.
    """
    many, each = predicted.shape[0], 2 * SCALES
    weights, found = np.full(many * each, 1.0 / (many * each)), np.empty(many * each)
    sizes, total = np.full(many, 64.0), 0.0
    for at in range(samples.size):
        value, share, whole = samples[at], 0.0, 0.0
        for one in range(many):
            shares(value, predicted[one, at], sizes[one], found[one * each : (one + 1) * each])
            sizes[one] = max(0.25, 0.97 * sizes[one] + 0.03 * 1.25 * abs(value - predicted[one, at]))
        for one in range(found.size):
            share += weights[one] * found[one]
            weights[one] = weights[one] ** KEPT * (found[one] + 1e-12)
            whole += weights[one]
        for one in range(found.size):
            weights[one] /= whole
        total -= math.log2((1.0 - SHARED) * share + SHARED / (2.0 * half))
    return total


@compiled
def predictions(samples: Any, order: int, forgetting: float, half: float) -> Any:
    """What each of samples f64[n] is told by least squares over those before it, learned from each once it has come."""
    past, weights, gain = np.zeros(order), np.zeros(order), np.zeros(order)
    inverse, told, scale = FIRST * np.eye(order), np.empty(samples.size), 1.0 / half
    for at in range(samples.size):
        predicted = 0.0
        for one in range(order):
            predicted += weights[one] * past[one]
        told[at] = min(max(predicted / scale, -half), half - 1.0)
        learned(inverse, past, weights, gain, samples[at] * scale - predicted, forgetting)
        for one in range(order - 1, 0, -1):
            past[one] = past[one - 1]
        past[0] = samples[at] * scale
    return told


@compiled
def learned(inverse: Any, past: Any, weights: Any, gain: Any, error: float, forgetting: float) -> None:
    """A step of recursive least squares; what was forgotten is not divided by where little came, so it stays finite."""
    order, power = past.size, 0.0
    for row in range(order):
        total = 0.0
        for column in range(order):
            total += inverse[row, column] * past[column]
        gain[row] = total
        power += past[row] * total
    trace = 0.0
    for row in range(order):
        weights[row] += gain[row] / (forgetting + power) * error
        trace += inverse[row, row]
    kept = forgetting if trace < 1e6 * FIRST * order else 1.0
    for row in range(order):
        for column in range(row, order):
            value = (inverse[row, column] - gain[row] * gain[column] / (forgetting + power)) / kept
            inverse[row, column] = value
            inverse[column, row] = value
