"""What a run asks of its data: the batch of any step, and proof that it is the same data as before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import xxhash

Array = npt.NDArray[Any]


@runtime_checkable
class Data(Protocol):
    """Examples in a fixed order. `batch` is a pure function; equal fingerprints mean equal batches at every step."""

    @property
    def fingerprint(self) -> str:
        """A hash of the examples and of everything else that `batch` depends on."""

    def batch(self, step: int) -> dict[str, Array]:
        """The arrays that step `step` learns from, by input name. Every step has one, forwards and backwards."""


def raw_bytes(array: Array) -> memoryview:
    """The bytes of an array, without a copy where it is contiguous; also for formats that buffers refuse (bf16)."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def content_hash(arrays: Mapping[str, Array]) -> str:
    """A 128-bit hash of names, formats, shapes and bytes. It finds accidents, not forgeries."""
    digest = xxhash.xxh3_128()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        digest.update(raw_bytes(array))
    return digest.hexdigest()


def combined_hash(*parts: object) -> str:
    """A 128-bit hash of plain values: numbers, strings, and lists of them."""
    return xxhash.xxh3_128(json.dumps(parts).encode()).hexdigest()
