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
PARAMETERS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, chain_log=6, search_log=1, window_log=17
)
"""What a plane gains it gains by its bytes' frequencies: short matches are chance, and cost more than they save."""
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
Bits = npt.NDArray[Any]


def encode(chunk: npt.NDArray[Any]) -> list[bytes | memoryview]:
    """The byte planes of a chunk [rows, lanes], lowest first. A plane of rows * lanes bytes is stored as it is."""
    folded = _folded(np.ascontiguousarray(chunk).view(UNSIGNED[chunk.itemsize]))
    kind, last = folded.dtype.type, folded.itemsize - 1
    compressor = zstandard.ZstdCompressor(compression_params=PARAMETERS)
    planes = ((folded >> kind(8 * place)).astype(np.uint8) for place in range(last + 1))
    return [_smaller(compressor, plane.reshape(-1), place < last) for place, plane in enumerate(planes)]


def _smaller(
    compressor: zstandard.ZstdCompressor, plane: npt.NDArray[np.uint8], may_be_noise: bool
) -> bytes | memoryview:
    if may_be_noise and noisy(plane):
        return plane.data
    packed = compressor.compress(plane.data)
    return packed if len(packed) < plane.nbytes else plane.data


def noisy(plane: npt.NDArray[np.uint8], sample: int = 2048, bits: float = 7.75) -> bool:
    """Whether a sample of a plane has so much entropy (in bits a byte) that compressing it is wasted work.

    Pure noise has 7.91 bits in a sample of 2048: that of n samples falls short by 255 / (2 n ln 2) (Miller 1955).
    """
    if plane.size < sample:
        return False
    counts = np.bincount(plane[:: plane.size // sample][:sample], minlength=256)
    share = counts[counts > 0] / sample
    return float(-(share * np.log2(share)).sum()) > bits


def decode(
    planes: list[bytes | memoryview], rows: int, lanes: int, dtype: np.dtype[Any], only: slice | None = None
) -> npt.NDArray[Any]:
    """The chunk [rows, lanes] of a format, or some lanes of it. Raises ValueError for planes that are no such chunk."""
    taken = slice(None) if only is None else only
    kind = UNSIGNED[dtype.itemsize]
    bits = np.zeros((rows, len(range(*taken.indices(lanes)))), kind)
    for place in reversed(range(dtype.itemsize)):
        whole = np.frombuffer(_restored(planes[place], rows * lanes), np.uint8).reshape(rows, lanes)
        bits <<= kind(8 if dtype.itemsize > 1 else 0)
        bits |= whole[:, taken]
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
