"""The codec's inner loops for numba, which compiles each once and keeps the machine code beside this file.

Each gives the bits of its NumPy form in `regression.py` and `packing.py`: the same operations on each number in the
same order. numba fuses no multiplication with an addition unless it is told that it may; it widens integers, so that
what must wrap is cast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ontogeny.machine.kernel_cache import compiled
from ontogeny.record.trace.packing import BEYOND, DIGITS
from ontogeny.record.trace.regression import LAGS, LARGEST, MOST, RIDGE, SCALE, SMALLEST, TINY, Format

WIDTHS = tuple(DIGITS)
PIECE = 64
"""Lanes of a row that are asked together whether one of them does not fit a byte."""
Array = npt.NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def loop(function: Function) -> Function:
    """A function compiled on its first call, without the interpreter's lock."""
    return compiled(function, error_model="numpy")


def fitted(updates: Array) -> Array:
    """`regression._fitted` for the even updates."""
    products, found = np.zeros((LAGS + 1, LAGS + len(updates))), np.zeros((len(updates) + 1, LAGS), np.int16)
    _products(updates, np.empty(updates.shape[1]), products)
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


def split(numbers: Array, shifts: Array) -> tuple[Array, Array, bytes | memoryview]:
    """`packing.split`."""
    kind, (rows, lanes) = numbers.dtype.type, numbers.shape
    order, mine, rising = np.empty(lanes, np.uint32), np.empty(lanes, kind), np.empty(lanes, kind)
    begins, places = np.zeros(8 * numbers.itemsize + 1, np.int64), np.zeros((3, len(WIDTHS)), np.int64)
    _order(shifts, order, rising, begins)
    size = _places(begins, rows, places)
    noise = np.empty(-(-size // 4), np.uint32)
    views = noise, noise.view(np.uint16), noise.view(np.uint8)
    plane, beyond = np.empty(numbers.shape, np.uint8), np.empty(numbers.size + 1, kind)
    count = _split(numbers, order, rising, begins, places, mine, plane, beyond, *views)
    return plane, beyond[:count].copy(), views[2][:size].data


def columns(numbers: Array, places: Array) -> Array:
    """`packing._columns`."""
    found = np.empty((len(numbers), len(places)), numbers.dtype)
    _columns(numbers, places.astype(np.uint32), found)
    return found


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
    return _made(kind.floating, kind.signed)


@cache
def _made(floating: Any, signed: Any) -> tuple[Any, ...]:
    most = np.iinfo(signed).max
    return signed(int(most).bit_length()), signed(most), floating(SMALLEST), floating(LARGEST)


@loop
def _products(updates: Array, parts: Array, found: Array) -> None:
    for lag in range(min(LAGS + 1, len(updates))):
        for row in range(lag, len(updates)):
            mine, other, count = updates[row], updates[row - lag], len(parts)
            for lane in range(count):
                parts[lane] = mine[lane] * other[lane]
            while count > 1:
                half = (count + 1) // 2
                upper = parts[half:count]
                for lane in range(len(upper)):
                    parts[lane] += upper[lane]
                count = half
            found[lag, LAGS + row] = parts[0]


@loop
def _solved(products: Array, system: Array, found: Array, ridge: float, tiny: float, scale: float, most: float) -> None:
    for row in range(2, len(found)):
        last, total = row + LAGS - 2, 0.0
        for i in range(LAGS):
            total += products[0, last - i]
            for j in range(LAGS):
                system[i, j] = products[abs(i - j), last - min(i, j)]
            system[i, LAGS] = products[i + 1, last + 1]
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
def _order(shifts: Array, order: Array, rising: Array, begins: Array) -> None:
    """Lanes by their shifts, these so ordered, and where lanes of each shift begin."""
    for lane in range(len(shifts)):
        begins[shifts[lane] + 1] += 1
    for shift in range(1, len(begins)):
        begins[shift] += begins[shift - 1]
    free = begins.copy()
    for lane in range(len(shifts)):
        place = free[shifts[lane]]
        free[shifts[lane]] += 1
        order[place], rising[place] = lane, shifts[lane]


@loop
def _places(begins: Array, rows: int, places: Array) -> int:
    """Where each width of digit begins in the noise, its lanes and rows of bytes; how long the noise is."""
    size = 0
    for kind in range(len(WIDTHS)):
        width, count = WIDTHS[kind], 0
        for first in range(width, len(begins) - 1, 2 * width):
            count += begins[min(first + width, len(begins) - 1)] - begins[first]
        rows_of = -(-rows // max(1, 8 // width))
        places[0, kind], places[1, kind], places[2, kind] = size, count, rows_of
        size += rows_of * count * max(1, width // 8)
    return size


@loop
def _split(
    numbers: Array,
    order: Array,
    shifts: Array,
    begins: Array,
    places: Array,
    mine: Array,
    plane: Array,
    beyond: Array,
    words: Array,
    halves: Array,
    noise: Array,
) -> int:
    found = 0
    for row in range(len(numbers)):
        here = numbers[row]
        for lane in range(len(mine)):
            mine[lane] = here[order[lane]]
        found = _above(mine, shifts, plane[row], beyond, found)
        for kind in range(len(WIDTHS)):
            begin, count, rows = places[0, kind], places[1, kind], places[2, kind]
            width, turn = WIDTHS[kind], row // max(1, rows)
            at = row % max(1, rows) * count
            for first in range(width, len(begins) - 1, 2 * width):
                low, high = begins[first], begins[min(first + width, len(begins) - 1)]
                if low == high:
                    continue
                if width == 32:
                    _put(mine[low:high], shifts[low:high], width, 0, words[begin // 4 + at :])
                elif width == 16:
                    _put(mine[low:high], shifts[low:high], width, 0, halves[begin // 2 + at :])
                else:
                    _put(mine[low:high], shifts[low:high], width, turn, noise[begin + at :])
                at += high - low
    return found


@loop
def _above(mine: Array, shifts: Array, plane: Array, beyond: Array, found: int) -> int:
    """A row of `packing.upper`; most pieces of a row hold nothing that does not fit."""
    top = mine.dtype.type(BEYOND)
    for lane in range(len(mine)):
        plane[lane] = min(mine[lane] >> shifts[lane], top)
    for first in range(0, len(mine), PIECE):
        piece, most = plane[first : first + PIECE], np.uint8(0)
        for lane in range(len(piece)):
            most = max(most, piece[lane])
        if most == BEYOND:
            for lane in range(first, first + len(piece)):
                beyond[found] = (mine[lane] >> shifts[lane]) - top
                found += plane[lane] == BEYOND
    return found


@loop
def _put(mine: Array, shifts: Array, width: int, turn: int, into: Array) -> None:
    """The digits of neighbouring lanes, beside those of the rows that share their bytes."""
    below, mask = mine.dtype.type(width - 1), mine.dtype.type((1 << width) - 1)
    if turn == 0:
        for lane in range(len(mine)):
            into[lane] = into.dtype.type((mine[lane] >> (shifts[lane] & below)) & mask)
    else:
        place = into.dtype.type(turn * width)
        for lane in range(len(mine)):
            into[lane] |= into.dtype.type((mine[lane] >> (shifts[lane] & below)) & mask) << place


@loop
def _columns(numbers: Array, places: Array, found: Array) -> None:
    for row in range(len(numbers)):
        here, into = numbers[row], found[row]
        for lane in range(len(places)):
            into[lane] = here[places[lane]]


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
