"""Folded residuals [rows, lanes] as bytes: what can be guessed goes through zstd's Huffman coder, noise is only packed.

Each lane has its own scale: how many low bits of its numbers are noise. Those are stored as they are, without padding:
a lane of 13 noisy bits gives eight, four and one of them to the arrays of lanes that have such a digit. Lanes are
ordered by how many, so that those of a digit lie together. What lies above is small and distributed alike in all lanes:
one byte each, compressed as one plane; the few that need more than a byte say 255 there, and follow apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.record.trace import compiled
from ontogeny.record.trace.planes import Blob, restored, smaller

KEPT = 4
"""How many bits of a lane's usual number are not taken for noise."""
BEYOND = 255
"""The byte of a number that is kept apart."""
LOOKED_AT = 16
"""How many rows say what is usual."""
DIGITS = {32: np.uint32, 16: np.uint16, 8: np.uint8, 4: np.uint8, 2: np.uint8, 1: np.uint8}
Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def noisy_bits(numbers: Array) -> Bytes:
    """How many low bits of each lane of unsigned numbers [rows, lanes] are noise."""
    every = max(1, len(numbers) // LOOKED_AT)
    if loops := compiled.kernels(numbers.size):
        found: Bytes = loops.noisy_bits(numbers, KEPT, every)
        return found
    rows = numbers[::every]
    exponents = rows.astype(np.float32).view(np.int32) >> 23
    lengths = np.maximum(exponents - 126, 0).sum(0, dtype=np.int32)
    bits: Array = np.maximum((lengths + len(rows) // 2) // max(1, len(rows)) - KEPT, 0)
    return bits.astype(np.uint8)


def packed(numbers: Array, shifts: Bytes) -> list[Blob]:
    """What lies above the noise, what of it does not fit a byte, and the noise."""
    plane, beyond, low = split(numbers, shifts)
    planes = np.ascontiguousarray(beyond.view(np.uint8).reshape(-1, beyond.itemsize).T)
    return [smaller(plane.reshape(-1)), smaller(planes.reshape(-1)), low]


def unpacked(parts: Sequence[Blob], rows: int, shifts: Bytes, kind: Any, only: slice, ordered: bool) -> Array:
    """Some lanes of the numbers that were `packed`, ordered by their shifts or not (as in stores of the second codec).

    Raises ValueError where the parts are none.
    """
    if ordered:
        order = np.argsort(shifts, kind="stable")
        return _columns(unpacked(parts, rows, shifts[order], kind, slice(None), False), np.argsort(order)[only])
    lanes, width = len(shifts), np.dtype(kind).itemsize
    plane = restored(parts[0], rows * lanes).reshape(rows, lanes)
    count = int(np.count_nonzero(plane == BEYOND))
    planes = restored(parts[1], count * width).reshape(width, count)
    beyond = np.ascontiguousarray(planes.T).view(kind).reshape(-1)
    first, last, _ = only.indices(lanes)
    found = with_upper(plane, beyond, shifts, first, last)
    put_noise(found, parts[2], shifts, first)
    return found


def split(numbers: Array, shifts: Bytes) -> tuple[Bytes, Array, Blob]:
    """`upper` and `noise` of lanes ordered by their shifts, those of a shift as they come."""
    if loops := compiled.kernels(numbers.size):
        found: tuple[Bytes, Array, Blob] = loops.split(numbers, shifts)
        return found
    order = np.argsort(shifts, kind="stable")
    numbers, shifts = numbers[:, order], shifts[order]
    return *upper(numbers, shifts), noise(numbers, shifts)


def upper(numbers: Array, shifts: Bytes) -> tuple[Bytes, Array]:
    """What lies above the noise: a byte each [rows, lanes], and those that do not fit, less 255, in order."""
    above = numbers >> shifts.astype(numbers.dtype)
    beyond = above >= BEYOND
    return np.minimum(above, numbers.dtype.type(BEYOND)).astype(np.uint8), above[beyond] - numbers.dtype.type(BEYOND)


def with_upper(plane: Bytes, beyond: Array, shifts: Bytes, first: int, last: int) -> Array:
    """The numbers of `upper` of lanes `first` to `last`, with 0 for their noise."""
    if loops := compiled.kernels(plane.size):
        found: Array = loops.with_upper(plane, beyond, shifts, first, last, BEYOND)
        return found
    above = plane.astype(beyond.dtype)
    if len(beyond):
        above[plane == BEYOND] += beyond
    found = above[:, first:last] << shifts[first:last].astype(beyond.dtype)
    return found


def noise(numbers: Array, shifts: Bytes) -> bytes:
    """The low bits of all lanes: for each digit, from 32 down, the bits of those lanes that have it.

    Digits under a byte share one with those of the same lane a half, a quarter, ... of the rows further on.
    """
    return b"".join(_gathered(numbers, *places).tobytes() for places in _places(shifts, numbers.dtype))


def put_noise(numbers: Array, blob: Blob, shifts: Bytes, begin: int) -> None:
    """Adds to numbers [rows, lanes] of the lanes from `begin` on, what `noise` gave. ValueError where bytes lack."""
    at = 0
    for width, lanes, below in _places(shifts, numbers.dtype):
        rows = _rows(len(numbers), width)
        size = rows * len(lanes) * np.dtype(DIGITS[width]).itemsize
        if at + size > len(blob):
            raise ValueError(f"the noise of a chunk has {len(blob)} bytes; at least {at + size} were expected")
        digits = np.frombuffer(blob[at : at + size], DIGITS[width]).reshape(rows, -1)
        mine = slice(*np.searchsorted(lanes, [begin, begin + numbers.shape[1]]))
        _scattered(numbers, digits[:, mine], width, lanes[mine] - begin, below[mine])
        at += size
    if at != len(blob):
        raise ValueError(f"the noise of a chunk has {len(blob)} bytes; {at} were expected")


def _places(shifts: Bytes, kind: np.dtype[Any]) -> Iterator[tuple[int, Array, Array]]:
    """The digits that any lane's number of noisy bits has, those lanes, and how many bits lie below the digit's."""
    for width in DIGITS:
        lanes = np.flatnonzero(shifts & width)
        if len(lanes):
            yield width, lanes, (shifts[lanes] & (width - 1)).astype(kind)


def _rows(rows: int, width: int) -> int:
    """How many rows of bytes hold the digits of so many rows."""
    return -(-rows // max(1, 8 // width))


def _gathered(numbers: Array, width: int, lanes: Array, below: Array) -> Array:
    """The digits of some lanes, packed [fewer rows, lanes]."""
    rows = _rows(len(numbers), width)
    mask = numbers.dtype.type((1 << width) - 1)
    digits = ((numbers[:, lanes] >> below) & mask).astype(DIGITS[width])
    found: Array = digits[:rows]
    for place, first in enumerate(range(rows, len(digits), max(1, rows)), 1):
        part = digits[first : first + rows]
        found[: len(part)] |= part << found.dtype.type(place * width)
    return found


def _scattered(numbers: Array, digits: Array, width: int, lanes: Array, below: Array) -> None:
    """The inverse of `_gathered`: into numbers whose bits there are 0."""
    mask = digits.dtype.type((1 << width) - 1)
    if loops := compiled.kernels(numbers.size):
        loops.scattered(numbers, digits, width, lanes, below, mask)
        return
    for place, first in enumerate(range(0, len(numbers), len(digits))):
        part = (digits[: len(numbers) - first] >> digits.dtype.type(place * width)) & mask
        numbers[first : first + len(part), lanes] |= part.astype(numbers.dtype) << below


def _columns(numbers: Array, places: Array) -> Array:
    """Some columns, in another order."""
    if loops := compiled.kernels(numbers.size):
        found: Array = loops.columns(numbers, places)
        return found
    return np.ascontiguousarray(numbers[:, places])
