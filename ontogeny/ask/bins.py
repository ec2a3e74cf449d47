"""Histograms over bins that have the same relative width everywhere: the upper half of a 32-bit float's pattern.

Patterns are taken in the order of the numbers, so a bin holds what agrees in sign, exponent and seven bits of mantissa
(a bfloat16, in other words): at most 1/128 wide relative to its values, from the smallest number to the largest, and no
range has to be known beforehand. Both zeros lie in the bin that begins at zero. Magnitudes above 3.38e38 count as not
finite, as infinities and NaN do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from scipy.sparse import coo_array, csr_array

BINS = 1 << 16
FINITE = slice((1 << 15) - 0x7F7F, (1 << 15) + 0x7F80)
"""The bins of finite numbers."""
RELATIVE = 2.0**-7
WIDE = 1 << 14
"""From so many values on, counting into all bins is quicker than sorting."""
BATCH = 1 << 18
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]


def bins_of(values: Singles) -> npt.NDArray[np.uint16]:
    """The bin of each value, in the order of the numbers."""
    pattern = np.ascontiguousarray(values, np.float32).view(np.int32).copy()
    sign = pattern >> 31
    pattern ^= sign & 0x7FFFFFFF
    pattern -= sign
    pattern >>= 16
    pattern += 1 << 15
    return pattern.astype(np.uint16)


def _edges() -> Floats:
    place = np.arange(BINS + 1, dtype=np.int64) - (1 << 15)
    magnitude = (np.minimum(np.abs(place), 0x7F80) << 16).astype(np.uint32).view(np.float32).astype(np.float64)
    magnitude[np.abs(place) >= 0x7F80] = 2.0**128
    return np.where(place < 0, -magnitude, magnitude)


EDGES = _edges()
"""Bin b holds the values v with EDGES[b] <= v < EDGES[b + 1]."""


@dataclass(frozen=True)
class Columns:
    """Histograms side by side, sparse: those of column c are `bins[starts[c]:starts[c + 1]]`, rising, and `counts`."""

    starts: Counts
    bins: npt.NDArray[np.uint16]
    counts: Counts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def matrix(self) -> Any:
        """The same as a sparse matrix [columns, bins] of SciPy's."""
        return csr_array((self.counts, self.bins.astype(np.int32), self.starts), shape=(len(self), BINS))

    @property
    def nbytes(self) -> int:
        """Bytes in memory, with the matrix."""
        return 2 * self.counts.nbytes + 3 * self.bins.nbytes + self.starts.nbytes

    def totals(self) -> Counts:
        """How many values each column holds."""
        sums = np.concatenate([[0], np.cumsum(self.counts)])
        return np.diff(sums[self.starts])

    def grouped(self, size: int) -> Columns:
        """Every `size` neighbouring columns added up."""
        parts = [self.taken(np.arange(part, len(self), size)) for part in range(size)]
        return merged(parts, -(-len(self) // size))

    def taken(self, columns: Counts) -> Columns:
        """Some of the columns."""
        first, sizes = self.starts[columns], np.diff(self.starts)[columns]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        places = np.repeat(first - starts[:-1], sizes) + np.arange(starts[-1])
        return Columns(starts, self.bins[places], self.counts[places])


def counted(values: Singles) -> Columns:
    """The histograms of the rows of values [columns, n]; what is not finite is left out."""
    if values.shape[1] >= WIDE:
        return _dense(values)
    rows = max(1, BATCH // max(1, values.shape[1]))
    return joined([_sorted(values[first : first + rows]) for first in range(0, len(values), rows)])


def _dense(values: Singles) -> Columns:
    used, counts = [], []
    for row in values:
        found = np.bincount(bins_of(row), minlength=BINS)[FINITE]
        used.append(np.flatnonzero(found != 0))
        counts.append(found[used[-1]])
    starts = np.cumsum([0, *map(len, used)])
    return Columns(starts, (np.concatenate(used) + FINITE.start).astype(np.uint16), np.concatenate(counts))


def _sorted(values: Singles) -> Columns:
    bins = np.sort(bins_of(values), axis=1)
    new = np.ones(bins.shape, np.bool_)
    new[:, 1:] = bins[:, 1:] != bins[:, :-1]
    places = np.flatnonzero(new)
    counts = np.diff(np.append(places, bins.size))
    used = bins.reshape(-1)[places]
    keep = (used >= FINITE.start) & (used < FINITE.stop)
    column = (places // max(1, bins.shape[1]))[keep]
    starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(values)))])
    return Columns(starts, used[keep], counts[keep])


def empty(columns: int) -> Columns:
    """Columns without a value."""
    return Columns(np.zeros(columns + 1, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.int64))


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns one after another."""
    if not parts:
        return empty(0)
    ends = np.cumsum([0, *(part.starts[-1] for part in parts)])
    starts = np.concatenate([[0], *(part.starts[1:] + end for part, end in zip(parts, ends[:-1], strict=True))])
    return Columns(starts, np.concatenate([p.bins for p in parts]), np.concatenate([p.counts for p in parts]))


def merged(parts: Sequence[Columns], columns: int) -> Columns:
    """Column by column the sum of several; those that have fewer columns than `columns` are filled up."""
    found: list[Any] = [_widened(part, columns) for part in parts]
    while len(found) > 1:
        found = [a + b for a, b in zip(found[::2], found[1::2], strict=False)] + found[len(found) // 2 * 2 :]
    if not found:
        return empty(columns)
    whole = found[0]
    return Columns(whole.indptr.astype(np.int64), whole.indices.astype(np.uint16), whole.data.astype(np.int64))


def _widened(part: Columns, columns: int) -> Any:
    starts = np.concatenate([part.starts, np.full(columns - len(part), part.starts[-1])])
    return csr_array((part.counts, part.bins.astype(np.int32), starts), shape=(columns, BINS))


def spread(edges: Floats) -> Any:
    """The share of each bin that lies between neighbouring edges, values lying evenly in a bin: sparse [bins, rows]."""
    inside = EDGES[(edges[0] < EDGES) & (edges[-1] > EDGES)]
    cuts = np.unique(np.concatenate([edges, inside]))
    bins = np.clip(np.searchsorted(EDGES, cuts[:-1], "right") - 1, 0, BINS - 1)
    rows = np.clip(np.searchsorted(edges, cuts[:-1], "right") - 1, 0, len(edges) - 2)
    share = np.diff(cuts) / (EDGES[bins + 1] - EDGES[bins])
    return coo_array((share, (bins, rows)), shape=(BINS, len(edges) - 1)).tocsr()


def encoded(columns: Columns) -> npt.NDArray[np.uint8]:
    """The columns in few bytes: distances between bins (modulo 2^16) and counts, by byte planes, under zstd."""
    steps = np.diff(columns.bins, prepend=np.uint16(0))
    numbers = (np.diff(columns.starts), steps, columns.counts)
    widths = [max(1, -(-int(one.max(initial=0)).bit_length() // 8)) for one in numbers]
    head = np.array([len(columns), len(columns.bins), *widths], "<u8").tobytes()
    planes = [_planes(one, width) for one, width in zip(numbers, widths, strict=True)]
    return np.frombuffer(zstandard.ZstdCompressor(1).compress(head + b"".join(planes)), np.uint8)


def decoded(blob: npt.NDArray[np.uint8]) -> Columns:
    """The columns that `encoded` wrote."""
    raw = np.frombuffer(zstandard.ZstdDecompressor().decompress(blob.tobytes()), np.uint8)
    length, entries, *widths = raw[:40].view("<u8").tolist()
    at, found = 40, []
    for count, width in zip((length, entries, entries), widths, strict=True):
        found.append(_number(raw[at : at + count * width].reshape(width, count)))
        at += count * width
    sizes, steps, counts = found
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return Columns(starts, np.cumsum(steps.astype(np.uint16), dtype=np.uint16), counts)


def _planes(numbers: npt.NDArray[Any], width: int) -> bytes:
    return b"".join(
        ((numbers.astype(np.int64) >> 8 * place) & 255).astype(np.uint8).tobytes() for place in range(width)
    )


def _number(planes: npt.NDArray[np.uint8]) -> Counts:
    found: Counts = planes[0].astype(np.int64)
    for place, plane in enumerate(planes[1:], 1):
        found += plane.astype(np.int64) << 8 * place
    return found
