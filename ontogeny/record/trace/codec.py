"""The codec of trajectories: linear extrapolation of bit patterns along time, byte planes, zstd.

A chunk is an array [rows, lanes]: the same lanes (elements of parameters) at successive recorded steps. Each element is
taken as an unsigned integer of its width; its second difference along time, folded so that small ones of either sign
are small, is split into byte planes, and each plane is compressed where that makes it smaller. The lowest plane of a
noisy trajectory is noise, and stays as it is. Wrapping arithmetic makes every step exactly invertible for any bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

NAME = "linear2-planes-zstd"
LEVEL = 1
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
Bits = npt.NDArray[Any]


def encode(chunk: npt.NDArray[Any], level: int = LEVEL) -> list[bytes | memoryview]:
    """The byte planes of a chunk [rows, lanes], lowest first. A plane of rows * lanes bytes is stored as it is."""
    folded = _folded(np.ascontiguousarray(chunk).view(UNSIGNED[chunk.itemsize]))
    planes = np.ascontiguousarray(folded.view(np.uint8).reshape(-1, chunk.itemsize).T)
    compressor = zstandard.ZstdCompressor(level=level)
    return [_smaller(compressor, plane) for plane in planes]


def _smaller(compressor: zstandard.ZstdCompressor, plane: npt.NDArray[np.uint8]) -> bytes | memoryview:
    if noisy(plane):
        return plane.data
    packed = compressor.compress(plane.data)
    return packed if len(packed) < plane.nbytes else plane.data


def noisy(plane: npt.NDArray[np.uint8], sample: int = 4096, bits: float = 7.8) -> bool:
    """Whether a sample of a plane has so much entropy (in bits a byte) that compressing it is wasted work."""
    if plane.size < sample:
        return False
    counts = np.bincount(plane[:: plane.size // sample][:sample], minlength=256)
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum()) > bits


def decode(
    planes: list[bytes | memoryview], rows: int, lanes: int, dtype: np.dtype[Any], only: slice | None = None
) -> npt.NDArray[Any]:
    """The chunk [rows, lanes] of a format, or some lanes of it. Raises ValueError for planes that are no such chunk."""
    width = lanes if only is None else len(range(*only.indices(lanes)))
    shuffled = np.empty((dtype.itemsize, rows, width), np.uint8)
    for place, plane in enumerate(planes):
        whole = np.frombuffer(_restored(plane, rows * lanes), np.uint8).reshape(rows, lanes)
        shuffled[place] = whole if only is None else whole[:, only]
    folded = np.ascontiguousarray(shuffled.reshape(dtype.itemsize, -1).T)
    bits = folded.reshape(-1).view(UNSIGNED[dtype.itemsize]).reshape(rows, width)
    found: npt.NDArray[Any] = _unfolded(bits).view(dtype)
    return found


def _restored(plane: bytes | memoryview, size: int) -> bytes | memoryview:
    if len(plane) == size:
        return plane
    try:
        found = zstandard.ZstdDecompressor().decompress(plane, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(f"a byte plane cannot be decompressed: {error}") from error
    if len(found) != size:
        raise ValueError(f"a byte plane holds {len(found)} bytes; {size} were expected")
    return found


def _folded(bits: Bits) -> Bits:
    """Second differences along the first axis as unsigned numbers: 0, -1, 1, -2... become 0, 1, 2, 3..."""
    found = bits.copy()
    found[1:] -= bits[:-1]
    found[2:] -= bits[1:-1]
    found[2:] += bits[:-2]
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
