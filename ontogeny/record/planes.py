"""Registers as bytes for a keyframe: lossless, and smaller where a floating format leaves something to gain.

f32 and bf16 are cut into planes: all exponents, then all signs with the upper mantissa bits, then the rest, byte by
byte. Exponents bunch together (2 to 4 bits of 8) and a second moment's sign never changes, so those two planes are
compressed by zstd level 1; the rest of the mantissa is noise and stored as it is, but where many of its lowest bytes
are 0, as in moments that are still zero. Measured on trained weights with both moments: 0.820 to 0.825 of raw f32 at
740 to 830 MB/s, where 0.815 is the least that coding each value alone can reach on the MLP's; shuffled whole bytes, as
the other formats still are, 0.825 to 0.880 at 690 to 890.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard

from ontogeny.data.base import Array, raw_bytes

LEVEL = 1
SMALL = 256
RAW, SHUFFLED, ALIGNED = "raw", "shuffle-zstd", "exponent-zstd"
CODED_PLANES = 2
NOISE = 0.9
"""What part of the lowest bytes is not zero where a mantissa is noise (255 of 256 on average)."""
EXPONENT_AT = {"float32": 7, "bfloat16": 7}
"""The formats that are cut at their exponent, and how many bits of the upper 16 stand below it."""

Blob = bytes | memoryview


class Packer:
    """Packs registers, one after another, with one compressor."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=LEVEL)

    def pack(self, array: Array) -> tuple[str, list[Blob]]:
        """The codec of a register and its parts; together never longer than its bytes."""
        if array.nbytes < SMALL:
            return RAW, [raw_bytes(array)]
        if array.dtype.name in EXPONENT_AT:
            planes = _aligned(array)
            rest = planes[CODED_PLANES:].reshape(-1)
            noise = np.count_nonzero(planes[-1]) > NOISE * array.size
            return ALIGNED, [*map(self._coded, planes[:CODED_PLANES]), rest.data if noise else self._coded(rest)]
        shuffled = np.frombuffer(raw_bytes(array), np.uint8).reshape(-1, array.itemsize).T
        blob = self._zstd.compress(np.ascontiguousarray(shuffled).reshape(-1).data)
        return (SHUFFLED, [blob]) if len(blob) < array.nbytes else (RAW, [raw_bytes(array)])

    def _coded(self, plane: Array) -> Blob:
        """A plane compressed; as it is where that is no shorter, which its length tells."""
        blob = self._zstd.compress(plane.data)
        return blob if len(blob) < plane.size else plane.data


def unpack(codec: str, parts: Sequence[memoryview], dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The register that `pack` gave these parts for."""
    if codec == RAW:
        return np.frombuffer(parts[0], np.uint8).copy().view(dtype).reshape(shape)
    if codec == SHUFFLED:
        shuffled = np.frombuffer(zstandard.ZstdDecompressor().decompress(parts[0]), np.uint8)
        return shuffled.reshape(dtype.itemsize, -1).T.copy().reshape(-1).view(dtype).reshape(shape)
    count = math.prod(shape)
    sizes = (count, count, (dtype.itemsize - CODED_PLANES) * count)
    exponents, signs, rest = (_decoded(part, size) for part, size in zip(parts, sizes, strict=True))
    return _restored(exponents, signs, rest, dtype).reshape(shape)


def _decoded(part: memoryview, size: int) -> Array:
    return np.frombuffer(part if len(part) == size else zstandard.ZstdDecompressor().decompress(part), np.uint8)


def _aligned(array: Array) -> Array:
    """Planes, most significant first, u8[itemsize, size]."""
    pairs = np.frombuffer(raw_bytes(array), np.uint8).view("<u2").reshape(-1, array.itemsize // 2)
    upper = np.ascontiguousarray(pairs[:, -1])
    planes = np.empty((array.itemsize, array.size), np.uint8)
    np.right_shift(upper, EXPONENT_AT[array.dtype.name], out=planes[0], casting="unsafe")
    np.copyto(planes[1], (upper >> 8) & 0x80 | upper & 0x7F, casting="unsafe")
    if array.itemsize == 4:
        np.right_shift(pairs[:, 0], 8, out=planes[2], casting="unsafe")
        np.copyto(planes[3], pairs[:, 0], casting="unsafe")
    return planes


def _restored(exponents: Array, signs: Array, rest: Array, dtype: np.dtype[Any]) -> Array:
    pairs = np.empty((exponents.size, dtype.itemsize // 2), "<u2")
    wide = signs.astype(np.uint16)
    pairs[:, -1] = (wide & 0x80) << 8 | exponents.astype(np.uint16) << 7 | wide & 0x7F
    if dtype.itemsize == 4:
        third, fourth = rest.reshape(2, -1)
        pairs[:, 0] = third.astype(np.uint16) << 8 | fourth
    return pairs.reshape(-1).view(dtype)
