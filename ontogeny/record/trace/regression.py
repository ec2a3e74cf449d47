"""Predicting a row of a chunk from the rows before it, by coefficients that are fitted to the row itself.

The update of a step resembles those before it, and in the same way for neighbouring parameters: momentum carries it on,
a step that overshoots is taken back by all of them at once. So the update of row t is predicted as a sum of the LAGS
updates before it, with coefficients fitted by least squares over the chunk's lanes and stored: the fit may round as it
likes. The prediction may not, since reading repeats it: it is made of single IEEE operations in a fixed order. Values
whose magnitude is not within 2^-60 to 2^60 count as 0 there, so that neither overflow nor subnormals (which a processor
may be told to flush) can occur; such a value is predicted by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.record.trace import compiled

LAGS = 8
SCALE = 4096
"""Coefficients are multiples of 1/SCALE that fit into 16 bits."""
SAMPLE = 128
"""How many lanes a fit looks at."""
RIDGE, TINY, MOST = 1e-7, 1e-300, 32767.0
SMALLEST, LARGEST = 2.0**-60, 2.0**60
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A floating format as integers of the same width."""

    floating: Any
    unsigned: Any
    signed: Any
    mantissa: int

    @property
    def sign(self) -> int:
        """The place of the sign bit."""
        return int(np.dtype(self.unsigned).itemsize * 8 - 1)


FORMATS = {
    np.dtype(np.float32): Format(np.float32, np.uint32, np.int32, 23),
    np.dtype(np.float64): Format(np.float64, np.uint64, np.int64, 52),
}


def coefficients(values: Array) -> npt.NDArray[np.int16]:
    """Those of each row of floats [rows, lanes]: [rows, LAGS], the nearest update first.

    Where a few bursts among many still lanes mislead the fit, a row simply repeats the last update.
    """
    rows, lanes = values.shape
    repeated = np.zeros((rows, LAGS), np.int16)
    repeated[2:, 0] = SCALE
    if rows < 3:
        return repeated
    sample = np.ascontiguousarray(values[:, :: max(1, lanes // SAMPLE)])
    found = _fitted(sample)
    misled = np.flatnonzero(_lengths(sample, repeated) < _lengths(sample, found)) + 1
    found[misled] = repeated[misled]
    return found


def _lengths(values: Array, coefs: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """The summed lengths in bits of each row's residuals, from the second row on."""
    exponents = residuals(values, coefs).astype(np.float32).view(np.int32) >> 23
    lengths: npt.NDArray[np.int64] = np.maximum(exponents, 126).sum(1, dtype=np.int64)
    return lengths


def _fitted(values: Array) -> npt.NDArray[np.int16]:
    """The coefficients [rows, LAGS] of least squares; 0 in the first two rows."""
    updates, rows = even(values), len(values)
    if loops := compiled.kernels(values.size):
        found: npt.NDArray[np.int16] = loops.fitted(updates)
        return found
    products, lags, last = _products(updates), np.arange(LAGS), np.arange(2, rows)[:, None] + LAGS - 2
    apart, later = np.abs(lags[:, None] - lags), np.minimum(lags[:, None], lags)
    normal = products[apart, last[:, :, None] - later]  # [row, lag, lag]
    wanted = products[lags + 1, last + 1][:, :, None]
    return np.concatenate([np.zeros((2, LAGS), np.int16), _solved(np.concatenate([normal, wanted], axis=2))])


def _products(updates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each update with those before it: [how many before, LAGS zeros and the updates].

    They are summed by halves, so that every machine gets the same bits, which matrix products do not promise; nor do
    those wake a library's threads for so little work.
    """
    found = np.zeros((LAGS + 1, LAGS + len(updates)))
    for lag in range(min(LAGS + 1, len(updates))):
        parts = updates[lag:] * updates[: len(updates) - lag]
        while (count := parts.shape[1]) > 1:
            half = (count + 1) // 2
            parts[:, : count - half] += parts[:, half:]
            parts = parts[:, :half]
        found[lag, LAGS + lag :] = parts[:, 0]
    return found


def even(values: Array) -> npt.NDArray[np.float64]:
    """The updates of lanes, each over its usual second difference, so that none outweighs others.

    What is usual goes by the mean exponent, to a power of 2.
    """
    if loops := compiled.kernels(values.size):
        scaled: npt.NDArray[np.float64] = loops.even(values)
        return scaled
    known = np.where(np.abs(values) <= LARGEST, values, values.dtype.type(0))
    updates = known[1:] - known[:-1]
    second = (updates[1:] - updates[:-1]).astype(np.float32, copy=False)
    exponents = np.maximum((second.view(np.int32) >> 23) & 255, 1).sum(0, dtype=np.int64) // len(second)
    found: npt.NDArray[np.float64] = updates * np.exp2(127.0 - exponents)
    return found


def _solved(systems: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """Coefficients by normal equations [rows, LAGS, LAGS + 1], by elimination without pivots, as they are definite."""
    places = np.arange(LAGS)
    diagonal = systems[:, places, places]
    total = diagonal[:, 0].copy()
    for place in range(1, LAGS):
        total += diagonal[:, place]
    systems[:, places, places] = diagonal + (total * (RIDGE / LAGS) + TINY)[:, None]
    for pivot in range(LAGS):
        row = systems[:, pivot, pivot + 1 :] / systems[:, pivot, pivot, None]
        systems[:, pivot, pivot + 1 :] = row
        systems[:, pivot + 1 :, pivot + 1 :] -= systems[:, pivot + 1 :, pivot, None] * row[:, None, :]
    found = systems[:, :, LAGS]
    for pivot in range(LAGS - 1, 0, -1):
        found[:, :pivot] -= systems[:, :pivot, pivot] * found[:, pivot, None]
    return np.rint(np.clip(found * SCALE, -MOST, MOST)).astype(np.int16)


def within(values: Array) -> Array:
    """Values, with 0 for those that are not within 2^-60 to 2^60 in magnitude."""
    magnitude = np.abs(values)
    found: Array = np.where((magnitude >= SMALLEST) & (magnitude <= LARGEST), values, values.dtype.type(0))
    return found


def residuals(values: Array, coefs: npt.NDArray[np.int16]) -> Array:
    """How far each value from the second row on lies from its prediction, in steps of the format, folded: unsigned."""
    if loops := compiled.kernels(values.size):
        numbers: Array = loops.residuals(values, _factors(coefs, values.dtype), FORMATS[values.dtype])
        return numbers
    kind, factors, known = FORMATS[values.dtype], _factors(coefs, values.dtype), within(values)
    rows = len(values)
    updates = np.zeros((rows - 1 + LAGS, values.shape[1]), values.dtype)
    np.subtract(known[1:], known[:-1], out=updates[LAGS:])
    predicted = known[:-1].copy()
    part = np.empty_like(predicted)
    for lag in range(LAGS):
        np.multiply(factors[1:, lag, None], updates[LAGS - 1 - lag : LAGS - 2 - lag + rows], out=part)
        predicted += part
    np.copyto(predicted, values[:-1], where=known[:-1] == 0)
    return folded(ordered(values[1:], kind) - ordered(predicted, kind), kind)


def restored(first: Array, numbers: Array, coefs: npt.NDArray[np.int16]) -> Array:
    """The values [rows, lanes] of their first row and `residuals`."""
    kind, factors = FORMATS[first.dtype], _factors(coefs, first.dtype)
    if loops := compiled.kernels(numbers.size):
        whole: Array = loops.restored(first, numbers, factors, kind)
        return whole
    steps = unfolded(numbers, kind)
    values = np.concatenate([first[None], np.empty(numbers.shape, first.dtype)])
    updates = np.zeros((len(values) + LAGS, len(first)), first.dtype)
    known = within(first)
    for row in range(1, len(values)):
        parts = factors[row, ::-1, None] * updates[row - 1 : row - 1 + LAGS]
        predicted = known.copy()
        for lag in range(LAGS):
            predicted += parts[LAGS - 1 - lag]
        np.copyto(predicted, values[row - 1], where=known == 0)
        values[row] = unordered(ordered(predicted, kind) + steps[row - 1], kind)
        last, known = known, within(values[row])
        np.subtract(known, last, out=updates[LAGS + row - 1])
    return values


def _factors(coefs: npt.NDArray[np.int16], dtype: np.dtype[Any]) -> Array:
    factors: Array = coefs.astype(dtype) / dtype.type(SCALE)
    return factors


def ordered(values: Array, kind: Format) -> Array:
    """Floats as signed integers in the same order, neighbours one apart; NaNs lie beyond infinity."""
    bits = values.view(kind.signed)
    found: Array = bits ^ ((bits >> kind.sign) & np.iinfo(kind.signed).max)
    return found


def unordered(places: Array, kind: Format) -> Array:
    """The inverse of `ordered`."""
    found: Array = (places ^ ((places >> kind.sign) & np.iinfo(kind.signed).max)).view(kind.floating)
    return found


def folded(steps: Array, kind: Format) -> Array:
    """Signed numbers as unsigned ones: 0, -1, 1, -2... become 0, 1, 2, 3..."""
    found: Array = ((steps << 1) ^ (steps >> kind.sign)).view(kind.unsigned)
    return found


def unfolded(numbers: Array, kind: Format) -> Array:
    """The inverse of `folded`."""
    found: Array = ((numbers >> kind.unsigned(1)) ^ -(numbers & kind.unsigned(1))).view(kind.signed)
    return found
