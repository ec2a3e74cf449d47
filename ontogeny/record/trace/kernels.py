"""The codec's inner loops for numba, which compiles each once and keeps the machine code beside this file.

Each gives the bits of its NumPy form in `regression.py` and `packing.py`: the same operations on each number in the
same order. numba fuses no multiplication with an addition unless it is told that it may; it widens integers, so that
what must wrap is cast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from ontogeny.record.trace.regression import LAGS, LARGEST, MOST, RIDGE, SCALE, SMALLEST, TINY, Format

Array = npt.NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def loop(function: Function) -> Function:
    """A function compiled on its first call, without the interpreter's lock."""
    made: Function = numba.njit(function, nogil=True, cache=True, error_model="numpy")
    return made


def solved(products: Array, rows: int) -> Array:
    """`regression._solved` for the products of updates, LAGS zeros before them."""
    found = np.zeros((rows, LAGS), np.int16)
    _solved(products, np.empty((LAGS, LAGS + 1)), found, RIDGE / LAGS, TINY, float(SCALE), MOST)
    return found


def residuals(values: Array, factors: Array, kind: Format) -> Array:
    """`regression.residuals`."""
    found = np.empty((len(values) - 1, values.shape[1]), kind.unsigned)
    updates = np.zeros((LAGS, values.shape[1]), kind.floating)
    _residuals(values, values.view(kind.signed), factors, updates, found.view(kind.signed), *_numbers(kind))
    return found


def restored(first: Array, numbers: Array, factors: Array, kind: Format) -> Array:
    """`regression.restored`."""
    values = np.empty((len(numbers) + 1, len(first)), kind.floating)
    values[0] = first
    updates = np.zeros((LAGS, len(first)), kind.floating)
    _restored(values, values.view(kind.signed), numbers.view(kind.signed), factors, updates, *_numbers(kind))
    return values


def upper(numbers: Array, shifts: Array, top: int) -> tuple[Array, Array]:
    """`packing.upper`."""
    plane, beyond = np.empty(numbers.shape, np.uint8), np.empty(numbers.size, numbers.dtype)
    kind = numbers.dtype.type
    count = _upper(numbers, shifts.astype(kind), plane, beyond, kind(top))
    return plane, beyond[:count]


def even(values: Array) -> Array:
    """`regression.even`."""
    found = np.empty((len(values) - 1, values.shape[1]))
    second = np.empty(found.shape, np.float32)
    _even(values, found, second, second.view(np.int32), values.dtype.type(LARGEST))
    return found


def noisy_bits(numbers: Array, kept: int, every: int) -> Array:
    """`packing.noisy_bits`."""
    found, lengths = np.empty(numbers.shape[1], np.uint8), np.empty(numbers.shape[1], np.float32)
    _noisy_bits(numbers, kept, every, lengths, lengths.view(np.int32), found)
    return found


def gathered(numbers: Array, width: int, lanes: Array, below: Array, rows: int, digits: Any) -> Array:
    """`packing._gathered`."""
    found, mask = np.zeros((rows, len(lanes)), digits), numbers.dtype.type((1 << width) - 1)
    _gathered(numbers, width, lanes.astype(np.uint32), below, mask, found)
    return found


def with_upper(plane: Array, beyond: Array, shifts: Array, first: int, last: int, top: int) -> Array:
    """`packing.with_upper`."""
    found = np.empty((len(plane), last - first), beyond.dtype)
    _with_upper(plane, beyond, shifts.astype(beyond.dtype), first, top, found)
    return found


def scattered(numbers: Array, digits: Array, width: int, lanes: Array, below: Array, mask: Any) -> None:
    """`packing._scattered`."""
    _scattered(numbers, digits, width, lanes.astype(np.uint32), below, mask)


def _numbers(kind: Format) -> tuple[Any, ...]:
    """The place of the sign bit, all bits but that, and which magnitudes count."""
    most = kind.signed(np.iinfo(kind.signed).max)
    return kind.signed(kind.sign), most, kind.floating(SMALLEST), kind.floating(LARGEST)


@loop
def _solved(products: Array, system: Array, found: Array, ridge: float, tiny: float, scale: float, most: float) -> None:
    for row in range(2, len(found)):
        last, total = row + LAGS - 2, 0.0
        for i in range(LAGS):
            total += products[last - i, last - i]
            for j in range(LAGS):
                system[i, j] = products[last - i, last - j]
            system[i, LAGS] = products[last + 1, last - i]
        for i in range(LAGS):
            system[i, i] += total * ridge + tiny
        for pivot in range(LAGS):
            for j in range(pivot + 1, LAGS + 1):
                system[pivot, j] /= system[pivot, pivot]
            for i in range(pivot + 1, LAGS):
                for j in range(pivot + 1, LAGS + 1):
                    system[i, j] -= system[i, pivot] * system[pivot, j]
        for pivot in range(LAGS - 1, 0, -1):
            for i in range(pivot):
                system[i, LAGS] -= system[i, pivot] * system[pivot, LAGS]
        for lag in range(LAGS):
            found[row, lag] = np.rint(min(max(system[lag, LAGS] * scale, -most), most))


@loop
def _within(values: Array, found: Array, smallest: Any, largest: Any) -> None:
    for lane in range(len(values)):
        magnitude = abs(values[lane])
        found[lane] = values[lane] if (magnitude >= smallest) & (magnitude <= largest) else values.dtype.type(0)


@loop
def _predict(known: Array, factors: Array, updates: Array, row: int, found: Array) -> None:
    """Row + 1 by the latest updates, of which that of a row stands at its number modulo LAGS; four in one pass."""
    found[:] = known
    for lag in range(0, LAGS, 4):
        a, b, c, d = (
            factors[row + 1, lag],
            factors[row + 1, lag + 1],
            factors[row + 1, lag + 2],
            factors[row + 1, lag + 3],
        )
        p, q = updates[(row - lag) % LAGS], updates[(row - lag - 1) % LAGS]
        r, s = updates[(row - lag - 2) % LAGS], updates[(row - lag - 3) % LAGS]
        for lane in range(len(found)):
            found[lane] = (((found[lane] + a * p[lane]) + b * q[lane]) + c * r[lane]) + d * s[lane]


@loop
def _residuals(
    values: Array, bits: Array, factors: Array, updates: Array, found: Array, sign: Any, most: Any, least: Any, top: Any
) -> None:
    known, after, predicted = np.empty_like(values[0]), np.empty_like(values[0]), np.empty_like(values[0])
    places = predicted.view(bits.dtype)
    _within(values[0], known, least, top)
    for row in range(len(found)):
        _predict(known, factors, updates, row, predicted)
        last, mine, into, update = bits[row], bits[row + 1], found[row], updates[(row + 1) % LAGS]
        for lane in range(len(last)):
            place = places[lane] if known[lane] != 0 else last[lane]
            step = bits.dtype.type((mine[lane] ^ ((mine[lane] >> sign) & most)) - (place ^ ((place >> sign) & most)))
            into[lane] = (step << 1) ^ (step >> sign)
        _within(values[row + 1], after, least, top)
        for lane in range(len(last)):
            update[lane] = after[lane] - known[lane]
        known, after = after, known


@loop
def _restored(
    values: Array,
    bits: Array,
    numbers: Array,
    factors: Array,
    updates: Array,
    sign: Any,
    most: Any,
    least: Any,
    top: Any,
) -> None:
    known, after, predicted = np.empty_like(values[0]), np.empty_like(values[0]), np.empty_like(values[0])
    places = predicted.view(bits.dtype)
    _within(values[0], known, least, top)
    for row in range(len(numbers)):
        _predict(known, factors, updates, row, predicted)
        last, mine, steps, update = bits[row], bits[row + 1], numbers[row], updates[(row + 1) % LAGS]
        for lane in range(len(last)):
            place = places[lane] if known[lane] != 0 else last[lane]
            step = ((steps[lane] >> 1) & most) ^ -(steps[lane] & 1)
            found = bits.dtype.type((place ^ ((place >> sign) & most)) + step)
            mine[lane] = found ^ ((found >> sign) & most)
        _within(values[row + 1], after, least, top)
        for lane in range(len(last)):
            update[lane] = after[lane] - known[lane]
        known, after = after, known


@loop
def _upper(numbers: Array, shifts: Array, plane: Array, beyond: Array, top: Any) -> int:
    count = 0
    for row in range(len(numbers)):
        here, into = numbers[row], plane[row]
        for lane in range(len(here)):
            into[lane] = min(here[lane] >> shifts[lane], top)
        for lane in range(len(here)):
            if into[lane] == top:
                beyond[count] = (here[lane] >> shifts[lane]) - top
                count += 1
    return count


@loop
def _even(values: Array, found: Array, second: Array, bits: Array, largest: Any) -> None:
    zero, lanes = values.dtype.type(0), values.shape[1]
    updates, before = np.empty_like(values[0]), np.empty_like(values[0])
    exponents = np.zeros(lanes, np.int64)
    for row in range(len(found)):
        for lane in range(lanes):
            last, mine = values[row, lane], values[row + 1, lane]
            last = last if abs(last) <= largest else zero
            updates[lane] = (mine if abs(mine) <= largest else zero) - last
        if row:
            for lane in range(lanes):
                second[row, lane] = updates[lane] - before[lane]
            for lane in range(lanes):
                exponents[lane] += max((bits[row, lane] >> 23) & 255, 1)
        found[row] = updates
        updates, before = before, updates
    scale = np.exp2(127.0 - exponents // (len(found) - 1))
    for row in range(len(found)):
        for lane in range(lanes):
            found[row, lane] *= scale[lane]


@loop
def _noisy_bits(numbers: Array, kept: int, every: int, rounded: Array, bits: Array, found: Array) -> None:
    lengths, rows = np.zeros(len(found), np.int32), 0
    for row in range(0, len(numbers), every):
        rows += 1
        for lane in range(len(found)):
            rounded[lane] = np.float32(numbers[row, lane])
        for lane in range(len(found)):
            lengths[lane] += max((bits[lane] >> 23) - 126, 0)
    for lane in range(len(found)):
        found[lane] = max((lengths[lane] + rows // 2) // rows - kept, 0)


@loop
def _gathered(numbers: Array, width: int, lanes: Array, below: Array, mask: Any, found: Array) -> None:
    rows = len(found)
    for row in range(len(numbers)):
        here, into, place = numbers[row], found[row % rows], found.dtype.type(row // rows * width)
        for at in range(len(lanes)):
            into[at] |= found.dtype.type((here[lanes[at]] >> below[at]) & mask) << place


@loop
def _with_upper(plane: Array, beyond: Array, shifts: Array, first: int, top: int, found: Array) -> None:
    count, lanes = 0, found.shape[1]
    for row in range(len(plane)):
        here, into = plane[row], found[row]
        for lane in range(lanes):
            into[lane] = found.dtype.type(here[first + lane]) << shifts[first + lane]
        for lane in range(len(here)):
            if here[lane] == top:
                if first <= lane < first + lanes:
                    into[lane - first] += beyond[count] << shifts[lane]
                count += 1


@loop
def _scattered(numbers: Array, digits: Array, width: int, lanes: Array, below: Array, mask: Any) -> None:
    for row in range(len(numbers)):
        here, more, place = numbers[row], digits[row % len(digits)], digits.dtype.type(row // len(digits) * width)
        for at in range(len(lanes)):
            here[lanes[at]] |= numbers.dtype.type((more[at] >> place) & mask) << below[at]
