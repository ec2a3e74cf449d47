"""Moments of trajectories in one pass, at constant memory per element: mean, variance, skewness, kurtosis.

The update and merge formulas are those of Pébay, "Formulas for Robust, One-Pass Parallel Computation of Covariances and
Arbitrary-Order Statistical Moments" (Sandia report SAND2008-6212, 2008). They are written with operators alone, so that
they run on NumPy arrays and on torch tensors alike, on whatever device the values are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ontogeny.record.trace.layout import Tensor

NAMES = ("mean", "variance", "skewness", "kurtosis")
Over = Literal["values", "updates"]


@dataclass(slots=True)
class Moments:
    """Of `count` observations: the mean, and the sums of the second to fourth powers of the differences from it.

    Each is an array or tensor of the observations' shape, in the format that the first observation had.
    """

    count: int
    mean: Any
    m2: Any
    m3: Any
    m4: Any

    @staticmethod
    def of(values: npt.NDArray[Any]) -> Moments:
        """The moments of observations along the first axis, in f64, by two passes over them."""
        found = np.asarray(values, np.float64)
        mean = found.mean(axis=0) if len(found) else np.zeros(found.shape[1:])
        off = found - mean
        square = off * off
        return Moments(len(found), mean, square.sum(axis=0), (square * off).sum(axis=0), (square * square).sum(axis=0))

    @staticmethod
    def start(like: Any) -> Moments:
        """The moments of no observation yet; `like` is zero, of the observations' shape, format and device."""
        return Moments(0, like * 0, like * 0, like * 0, like * 0)

    def add(self, value: Any) -> None:
        """One more observation, in place where arrays allow it. Formulas 2.1 and 2.4 to 2.6 with one new value."""
        before, self.count = self.count, self.count + 1
        n = self.count
        off = value - self.mean
        part = off / n
        square = part * part
        term = off * part * before
        self.mean += part
        self.m4 += term * square * (n * n - 3 * n + 3) + 6 * square * self.m2 - 4 * part * self.m3
        self.m3 += term * part * (n - 2) - 3 * part * self.m2
        self.m2 += term

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets of observations together. Formulas 2.1 and 2.4 to 2.6."""
        if not self.count or not other.count:
            return other if not self.count else self
        a, b = self.count, other.count
        n = a + b
        off = other.mean - self.mean
        part = off / n
        square = part * part
        mean = self.mean + part * b
        m2 = self.m2 + other.m2 + off * part * (a * b)
        m3 = self.m3 + other.m3 + off * square * (a * b * (a - b)) + 3 * part * (a * other.m2 - b * self.m2)
        m4 = (
            self.m4
            + other.m4
            + off * square * part * (a * b * (a * a - a * b + b * b))
            + 6 * square * (a * a * other.m2 + b * b * self.m2)
            + 4 * part * (a * other.m3 - b * self.m3)
        )
        return Moments(n, mean, m2, m3, m4)

    @property
    def variance(self) -> Any:
        """The unbiased variance: m2 / (count - 1); NaN for fewer than two observations."""
        return self.m2 / (self.count - 1) if self.count > 1 else self.m2 * float("nan")

    @property
    def skewness(self) -> Any:
        """g1 = sqrt(n) m3 / m2^1.5; NaN where nothing varies."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.count**0.5 * self.m3 / self.m2**1.5

    @property
    def kurtosis(self) -> Any:
        """The excess g2 = n m4 / m2^2 - 3, 0 for a normal distribution; NaN where nothing varies."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.count * self.m4 / (self.m2 * self.m2) - 3

    def vector(self) -> npt.NDArray[np.float64]:
        """Mean, variance, skewness and kurtosis of each element, as columns: [elements, 4]."""
        parts = (self.mean, self.variance, self.skewness, self.kurtosis)
        return np.stack([np.asarray(part, np.float64).reshape(-1) for part in parts], axis=1)


@dataclass(frozen=True, slots=True)
class TensorMoments:
    """The moments of one tensor's elements, flat: of their values, and of their updates."""

    tensor: Tensor
    values: Moments
    updates: Moments

    def of(self, over: Over) -> Moments:
        """The moments of the values, or of the updates."""
        return self.values if over == "values" else self.updates
