"""General compressors at their strongest, by name: what they make of bytes, without a word of what these mean."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable

import zstandard

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": lambda data: zlib.compress(data, 9),
    "zstd": lambda data: zstandard.ZstdCompressor(level=19).compress(data),
    "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    "bz2": lambda data: bz2.compress(data, 9),
}
"""Each gives back all bytes exactly; a file's own header is counted."""


def bits_of(name: str, data: bytes) -> float:
    """The bits of what a compressor makes of bytes."""
    return 8.0 * len(COMPRESSORS[name](data))
