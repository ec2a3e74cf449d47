"""The codec of trajectories, chunk by chunk; each chunk is read without any other.

A chunk is an array [rows, lanes]: the same lanes (elements of parameters) at successive recorded steps. Floats of 32
and 64 bits are predicted row by row from their latest updates (`regression.py`), and how far they lie off is packed
(`packing.py`); other formats are extrapolated as integers (`linear.py`). All bits come back, those of NaNs too.
Neighbouring chunks are predicted by the same coefficients, which each of them holds: fits cost more than they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.record.trace import linear, packing, regression
from ontogeny.record.trace.linear import UNSIGNED
from ontogeny.record.trace.planes import Blob, restored, smaller
from ontogeny.record.trace.regression import FORMATS, LAGS

__all__ = ["NAME", "NAMES", "UNSIGNED", "decode", "encode", "encoded"]

NAME = "regression8-sorted-zstd"
SECOND = "regression8-packed-zstd"
"""As the one now written, but that the lanes of a chunk stay as they come; now those of a scale lie together."""
FIRST = "linear2-planes-zstd"
NAMES = (NAME, SECOND, FIRST)
"""The codec that is written, and all that are read."""
SHARED = 8
"""How many chunks side by side are fitted as one."""


def encoded(rows: npt.NDArray[Any], width: int) -> Iterator[list[Blob]]:
    """The parts of each chunk of `width` lanes in turn, of rows [rows, lanes]."""
    for first in range(0, rows.shape[1], SHARED * width):
        near = rows[:, first : first + SHARED * width]
        coefs = regression.coefficients(near) if rows.dtype in FORMATS else None
        yield from (encode(near[:, at : at + width], coefs) for at in range(0, near.shape[1], width))


def encode(chunk: npt.NDArray[Any], coefs: npt.NDArray[np.int16] | None = None) -> list[Blob]:
    """The parts of a chunk [rows, lanes], as many as its format has bytes. `coefs` are fitted to it where not given."""
    if chunk.dtype not in FORMATS:
        return linear.encode(chunk)
    values = np.ascontiguousarray(chunk)
    coefs = regression.coefficients(values) if coefs is None else coefs
    numbers = regression.residuals(values, coefs)
    shifts = packing.noisy_bits(numbers)
    parts = packing.packed(numbers, shifts)
    return [*parts, _head(values[0], coefs, shifts), *[b""] * (chunk.itemsize - len(parts) - 1)]


def decode(
    parts: list[Blob], rows: int, lanes: int, dtype: np.dtype[Any], only: slice | None = None, name: str = NAME
) -> npt.NDArray[Any]:
    """The chunk [rows, lanes] of a format, or some lanes of it. Raises ValueError for parts that are no such chunk."""
    taken = slice(None) if only is None else only
    if name == FIRST or dtype not in FORMATS:
        return linear.decode(parts, rows, lanes, dtype, taken)
    first, coefs, shifts = _of_head(parts[3], rows, lanes, dtype)
    numbers = packing.unpacked(parts[:3], rows - 1, shifts, UNSIGNED[dtype.itemsize], taken, name == NAME)
    return regression.restored(first[taken], numbers, coefs)


def _head(first: npt.NDArray[Any], coefs: npt.NDArray[np.int16], shifts: npt.NDArray[np.uint8]) -> bytes:
    """The first row, whose highest bytes are all that can be guessed in it, the coefficients and the lanes' shifts."""
    planes = first.view(np.uint8).reshape(len(first), -1).T
    return planes[:-1].tobytes() + coefs.tobytes() + bytes(smaller(np.concatenate([planes[-1], shifts])))


def _of_head(
    blob: Blob, rows: int, lanes: int, dtype: np.dtype[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    low, middle = lanes * (dtype.itemsize - 1), rows * LAGS * 2
    if len(blob) <= low + middle:
        raise ValueError(f"the head of a chunk has {len(blob)} bytes; more than {low + middle} were expected")
    rest = restored(blob[low + middle :], 2 * lanes)
    planes = np.concatenate([np.frombuffer(blob[:low], np.uint8), rest[:lanes]]).reshape(-1, lanes)
    shifts = rest[lanes:]
    if shifts.max() >= 8 * dtype.itemsize:
        raise ValueError(f"a lane is shifted by {shifts.max()} bits; a number has {8 * dtype.itemsize}")
    first = np.ascontiguousarray(planes.T).view(dtype).reshape(-1)
    return first, np.frombuffer(blob[low : low + middle], np.int16).reshape(rows, LAGS), shifts
