"""Axes of values: linear, logarithmic, and logarithmic in both directions from zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.bins import EDGES, Columns, Floats

LINEAR, LOG, SYMMETRIC = "linear", "log", "symmetric log"
MOST_DECADES = 6
LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Scale:
    """How values are laid along an axis: `kind`, and for the symmetric one `unit`, around which it turns linear.

    The symmetric one is asinh(value / unit): linear well below the unit, a logarithm of the magnitude well above.
    """

    kind: str = LINEAR
    unit: float = 1.0

    def forward(self, values: npt.ArrayLike) -> Floats:
        """The places of values along the axis; -inf for what a logarithm has no place for."""
        numbers = np.asarray(values, np.float64)
        if self.kind == LOG:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(numbers > 0, np.log10(np.maximum(numbers, 0.0)), -np.inf)
        return np.arcsinh(numbers / self.unit) if self.kind == SYMMETRIC else numbers

    def inverse(self, places: npt.ArrayLike) -> Floats:
        """The values at places along the axis."""
        numbers = np.asarray(places, np.float64)
        if self.kind == LOG:
            return 10.0**numbers
        return np.sinh(numbers) * self.unit if self.kind == SYMMETRIC else numbers

    def edges(self, low: float, high: float, rows: int) -> Floats:
        """The edges of rows of equal height from low to high: values, rising [rows + 1]."""
        first, last = self.forward([low, high])
        found = self.inverse(np.linspace(first, last, rows + 1))
        found[0], found[-1] = low, high
        return np.maximum.accumulate(found)


def scale_for(low: float, high: float, log: bool, sample: Columns) -> Scale:
    """The scale of a range: where `log` is asked for a logarithm, symmetric where there are values on both sides.

    Its unit is a power of ten below which few of the sample's values lie, at most 6 decades under the range's end.
    """
    if not log:
        return Scale()
    if low > 0:
        return Scale(LOG)
    largest = max(abs(low), abs(high))
    small = max(_small(sample), largest * 10.0**-MOST_DECADES)
    return Scale(SYMMETRIC, float(10.0 ** np.floor(np.log10(max(small, 1e-300)))))


def _small(sample: Columns) -> float:
    """The magnitude that 5% of a sample's values, zeros left out, lie below."""
    bins = sample.bins.astype(np.int64)
    magnitude = np.minimum(np.abs(EDGES[bins]), np.abs(EDGES[bins + 1]))
    order = np.argsort(magnitude)
    order = order[magnitude[order] > 0]
    if not len(order):
        return 0.0
    share = np.cumsum(sample.counts[order])
    return float(magnitude[order][np.searchsorted(share, LEAST_SHARE * share[-1])])


def padded(low: float, high: float) -> tuple[float, float]:
    """A range that is not empty and holds both ends inside."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return -1.0, 1.0
    if low == high:
        margin = abs(low) * 0.05 or 1.0
        return low - margin, high + margin
    return low, float(np.nextafter(np.float32(high), np.float32(np.inf), dtype=np.float32))
