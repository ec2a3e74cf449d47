"""Chunks of integers and 16-bit floats: linear extrapolation of bit patterns along time, byte planes, zstd.

Each element is taken as an unsigned integer of its width; its second difference along time, folded so that small ones
of either sign are small, is split into byte planes, and each plane is compressed where that makes it smaller. The
lowest plane of a noisy trajectory is noise, and stays as it is. Wrapping arithmetic makes every step exactly invertible
for any bits. Stores of the first codec, `linear2-planes-zstd`, hold all their formats so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.record.trace.planes import Blob, restored, smaller

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
Bits = npt.NDArray[Any]


def encode(chunk: npt.NDArray[Any]) -> list[Blob]:
    """The byte planes of a chunk [rows, lanes], lowest first. A plane of rows * lanes bytes is stored as it is."""
    folded = _folded(np.ascontiguousarray(chunk).view(UNSIGNED[chunk.itemsize]))
    kind, last = folded.dtype.type, folded.itemsize - 1
    planes = ((folded >> kind(8 * place)).astype(np.uint8) for place in range(last + 1))
    return [_coded(plane.reshape(-1), place < last) for place, plane in enumerate(planes)]


def _coded(plane: npt.NDArray[np.uint8], may_be_noise: bool) -> Blob:
    return plane.data if may_be_noise and noisy(plane) else smaller(plane)


def noisy(plane: npt.NDArray[np.uint8], sample: int = 2048, bits: float = 7.75) -> bool:
    """Whether a sample of a plane has so much entropy (in bits a byte) that compressing it is wasted work.

    Pure noise has 7.91 bits in a sample of 2048: that of n samples falls short by 255 / (2 n ln 2) (Miller 1955).
    """
    if plane.size < sample:
        return False
    counts = np.bincount(plane[:: plane.size // sample][:sample], minlength=256)
    share = counts[counts > 0] / sample
    return float(-(share * np.log2(share)).sum()) > bits


def decode(planes: list[Blob], rows: int, lanes: int, dtype: np.dtype[Any], only: slice) -> npt.NDArray[Any]:
    """Some lanes of the chunk [rows, lanes] of a format. Raises ValueError for planes that are no such chunk."""
    kind = UNSIGNED[dtype.itemsize]
    bits = np.zeros((rows, len(range(*only.indices(lanes)))), kind)
    for place in reversed(range(dtype.itemsize)):
        bits <<= kind(8 if dtype.itemsize > 1 else 0)
        bits |= restored(planes[place], rows * lanes).reshape(rows, lanes)[:, only]
    found: npt.NDArray[Any] = _unfolded(bits).view(dtype)
    return found


def _folded(bits: Bits) -> Bits:
    """Second differences along the first axis as unsigned numbers: 0, -1, 1, -2... become 0, 1, 2, 3..."""
    found = np.empty_like(bits)
    found[:1] = bits[:1]
    once = bits[1:] - bits[:-1]
    found[1:2] = once[:1]
    np.subtract(once[1:], once[:-1], out=found[2:])
    signed = found.view(SIGNED[bits.itemsize])
    signs = signed >> (8 * bits.itemsize - 1)
    np.left_shift(signed, 1, out=signed)
    np.bitwise_xor(signed, signs, out=signed)
    return found


def _unfolded(folded: Bits) -> Bits:
    """The inverse of `_folded`. Row by row, since a running sum along the first axis walks memory the wrong way."""
    kind = folded.dtype.type
    found: Bits = folded >> kind(1)
    found ^= np.negative(folded & kind(1))
    for row in range(2, len(found)):
        found[row] += found[row - 1]
    for row in range(1, len(found)):
        found[row] += found[row - 1]
    return found
