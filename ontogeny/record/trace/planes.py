"""Planes of bytes under zstd, each stored as it is where that is no longer."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import zstandard

PARAMETERS = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, chain_log=6, search_log=1, window_log=17
)
"""What a plane gains it gains by its bytes' frequencies: short matches are chance, and cost more than they save."""
Blob = bytes | memoryview


class _Coders(threading.local):
    """A thread's own: making a compressor takes as long as compressing 30 kilobytes."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(compression_params=PARAMETERS).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_coders = _Coders()


def smaller(plane: npt.NDArray[np.uint8]) -> Blob:
    """A contiguous plane compressed, or itself where that is no longer, which its length tells."""
    packed = _coders.compress(plane.data) if plane.size else b""
    return packed if len(packed) < plane.size else plane.data


def restored(blob: Blob, size: int) -> npt.NDArray[np.uint8]:
    """The plane of so many bytes that `smaller` gave this for. Raises ValueError for anything else."""
    if len(blob) == size:
        return np.frombuffer(blob, np.uint8)
    try:
        found = _coders.decompress(blob, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(f"a byte plane cannot be decompressed: {error}") from error
    if len(found) != size:
        raise ValueError(f"a byte plane holds {len(found)} bytes; {size} were expected")
    return np.frombuffer(found, np.uint8)
