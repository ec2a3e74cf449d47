"""Trajectories as a Zarr v3 group, as other tools read them: an array [steps, ...] for each tensor, and `step`.

The arrays' axes are named, so that xarray takes `step` as the coordinate of the first. Their chunks are turned so that
time runs fastest, their bytes shuffled and compressed by zstd (one block of blosc each: its usual smaller blocks take a
third more room), and many chunks share a shard. Every shard is read back and compared, bit for bit, when it is written.
What NumPy's own formats do not know, bf16, is kept as the u16 of the same bits; the attribute `format` says so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk
from ontogeny.record.trace.codec import UNSIGNED
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.traces import ALL, Array, Piece, Steps, Traces, Window, chosen
from ontogeny.record.trace.zarr_grid import Part, block_shape, parts, rounded_up

STEP = "step"
ROWS, MOST_ROWS = 64, 4096
CHUNK_BYTES = 1 << 20
SHARD_BYTES = 1 << 25
SLAB_BYTES = 1 << 28
LEVEL = 3


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: where, the steps and tensors, and bytes of values."""

    place: str
    steps: Steps
    tensors: tuple[Tensor, ...]
    bytes: int


def library() -> Any:
    """The package zarr. Raises RecordError, with what to install, where there is none."""
    try:
        return import_module("zarr")
    except ImportError as error:
        raise RecordError("this needs zarr: pip install 'ontogeny[zarr]'") from error


def store_of(place: Path | str) -> Any:
    """The Zarr store of a folder, or of a URL that fsspec knows. Raises RecordError where it cannot be opened."""
    storage = library().storage
    if "://" not in str(place):
        return storage.LocalStore(Path(place))
    try:
        return storage.FsspecStore.from_url(str(place))
    except (ImportError, ValueError) as error:
        raise RecordError(
            f"{place} cannot be opened: {error}; for most URLs, pip install 'ontogeny[remote]'"
        ) from error


def guarded(doing: str, place: Path | str) -> AbstractContextManager[None]:
    """What turns the errors of a folder into plain words."""
    return nullcontext() if "://" in str(place) else disk(doing, Path(place))


def write(traces: Traces, place: Path | str, window: Window = ALL, names: Iterable[str] | None = None) -> Written:
    """Writes the tensors `names` (or patterns) over a window as a new group in a folder or at a URL.

    Rows at which a tensor was not there are NaN (0 where its format has none) and named in its attribute `missing`.
    Raises RecordError where something lies there already, no step is in the window, or what is read back differs.
    """
    tensors = [traces.tensors[name] for name in chosen(traces, names)]
    steps = np.asarray(traces.steps)[window.some(np.asarray(traces.steps))]
    with guarded("writing", place):
        group = _created(place)
        rows = _slab_rows(tensors, len(steps))
        arrays = {t.name: _Array(group, t, len(steps), rows) for t in tensors}
        for first in range(0, len(steps), rows):
            slab = steps[first : first + rows]
            for piece in traces.pieces(Window(int(slab[0]), int(slab[-1]) + 1), list(arrays)):
                arrays[piece.tensor.name].add(piece, slab, first)
            for array in arrays.values():
                array.end(first, len(slab))
        _finish(group, steps, arrays)
    return Written(str(place), steps, tuple(tensors), sum(t.size * t.dtype.bytes for t in tensors) * len(steps))


def _created(place: Path | str) -> Any:
    zarr, store = library(), store_of(place)
    if "://" not in str(place) and Path(place).exists() and (Path(place).is_file() or any(Path(place).iterdir())):
        raise RecordError(f"{place} exists and is not empty; name another place, or remove it first")
    try:
        return zarr.open_group(store, mode="w-", zarr_format=3)
    except FileExistsError as error:
        raise RecordError(f"{place} holds a group already; name another place, or remove it first") from error


def _slab_rows(tensors: list[Tensor], steps: int) -> int:
    """How many steps share a shard: a multiple of ROWS, more where a row is small; never more than there are."""
    row = sum(tensor.size * tensor.dtype.bytes for tensor in tensors)
    fitting = SLAB_BYTES // max(1, row) // ROWS * ROWS
    return min(max(ROWS, min(fitting, MOST_ROWS)), steps)


def key_of(name: str) -> str:
    """A tensor's name as a key that any store takes: what is none of letters, digits, `._-` becomes %XX."""
    key = re.sub(r"[^\w.-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name, flags=re.ASCII)
    odd = key.startswith("__") or not key.strip(".") or key in (STEP, "zarr.json", "c")
    return f"%{ord(key[0]):02X}{key[1:]}" if odd and key else key or "%"


def _finish(group: Any, steps: Steps, arrays: dict[str, _Array]) -> None:
    """The steps, and the list of tensors: what has no such list is not whole."""
    made = group.create_array(STEP, shape=steps.shape, dtype=steps.dtype, dimension_names=[STEP])
    made[...] = steps
    if not np.array_equal(made[...], steps):
        raise RecordError("the steps read back from Zarr differ from what was written; the store cannot be trusted")
    listed = [{**array.tensor.as_json(), "key": array.key} for array in arrays.values()]
    group.update_attributes({"ontogeny": {"format": 1, "tensors": listed}})


class _Array:
    """One tensor's array under way: shards are gathered from pieces in any order, and written when they are whole."""

    def __init__(self, group: Any, tensor: Tensor, steps: int, rows: int) -> None:
        self.tensor = Tensor(tensor.name, tensor.dtype, tensor.shape)
        self.key = key_of(tensor.name)
        self.dtype = Layout((self.tensor,)).banks[0].numpy
        self.missing: list[list[int]] = []
        self.there: frozenset[int] = frozenset()
        chunk_rows = rows if tensor.size * rows * self.dtype.itemsize <= CHUNK_BYTES else min(ROWS, rows)
        chunk = block_shape(tensor.shape, max(1, CHUNK_BYTES // (chunk_rows * self.dtype.itemsize)))
        self.block = rounded_up(block_shape(tensor.shape, max(1, SHARD_BYTES // (rows * self.dtype.itemsize))), chunk)
        self.shards = [_Shard(part) for part in parts(tensor.shape, self.block)] if tensor.size else []
        self.firsts = [shard.part.first for shard in self.shards]
        self.array = group.create_array(
            self.key,
            shape=(steps, *tensor.shape),
            dtype=stored(self.dtype),
            chunks=(chunk_rows, *chunk),
            shards=(-(-rows // chunk_rows) * chunk_rows, *self.block),
            dimension_names=[STEP, *(f"{tensor.name}_{axis}" for axis in range(len(tensor.shape)))],
            attributes={"name": tensor.name, "format": str(tensor.dtype)},
            fill_value=np.zeros((), stored(self.dtype)).item() if self.dtype.kind != "f" else np.nan,
            # What equals the fill value is written too: -0.0 equals 0.0, and one NaN another, but their bits differ.
            config={"write_empty_chunks": True},
            **_codecs(len(tensor.shape), self.dtype.itemsize, chunk_rows * prod(chunk)),
        )

    def add(self, piece: Piece, slab: Steps, row: int) -> None:
        """A piece of a slab of steps that begins at a row."""
        at = np.searchsorted(slab, piece.steps)
        first, last = piece.first, piece.first + piece.values.shape[1]
        number = bisect_right(self.firsts, first) - 1
        while first < last:
            shard = self.shards[number]
            end = min(last, shard.part.last)
            shard.add(at, first, piece.values[:, first - piece.first : end - piece.first], len(slab), self.dtype)
            if shard.filled == shard.part.last - shard.part.first:
                self._flush(shard, row)
            first, number = end, number + 1

    def end(self, row: int, rows: int) -> None:
        """After a slab: nothing may be left over, and steps at which the tensor was not there are remembered."""
        if any(shard.filled for shard in self.shards):
            raise RecordError(f"not all elements of {self.tensor.name} are recorded at the same steps; choose a window")
        absent = [at for at in range(rows) if self.tensor.size and at not in self.there]
        if absent:
            self.missing = _joined(self.missing + [[row + at, row + at + 1] for at in absent])
            self.array.update_attributes({"missing": self.missing})
        self.there = frozenset()

    def _flush(self, shard: _Shard, row: int) -> None:
        values = shard.take()
        self.there = frozenset(shard.rows)
        shape = (len(values), *(s.stop - s.start for s in shard.part.slices))
        target = (slice(row, row + len(values)), *shard.part.slices)
        given = values.view(stored(self.dtype)).reshape(shape)
        self.array[target] = given
        found = np.ascontiguousarray(self.array[target])
        bits = UNSIGNED[self.dtype.itemsize]
        if not np.array_equal(found.reshape(shape).view(bits), given.view(bits)):
            raise RecordError(f"{self.tensor.name} read back from Zarr differs from what was written; do not use it")


@dataclass
class _Shard:
    """Elements of one shard of one slab, gathered."""

    part: Part
    filled: int = 0
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    values: Array | None = None

    def add(self, rows: npt.NDArray[np.int64], first: int, values: Array, length: int, dtype: np.dtype[Any]) -> None:
        if self.values is None:
            self.values = np.full((length, self.part.last - self.part.first), _absent(dtype), dtype)
            self.rows = rows
        if not np.array_equal(rows, self.rows):
            raise RecordError("elements of one tensor are recorded at different steps; choose a window")
        low = first - self.part.first
        self.values[rows, low : low + values.shape[1]] = values
        self.filled += values.shape[1]

    def take(self) -> Array:
        values, self.values, self.filled = self.values, None, 0
        assert values is not None
        return values


def stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The format that an array has in Zarr: its own, or for bf16 u16."""
    return np.dtype(np.uint16) if dtype.name == "bfloat16" else dtype


def _absent(dtype: np.dtype[Any]) -> Any:
    return np.nan if dtype.kind == "f" or dtype.name == "bfloat16" else 0


def _joined(ranges: list[list[int]]) -> list[list[int]]:
    """Rising ranges, neighbours as one."""
    found: list[list[int]] = []
    for low, high in ranges:
        if found and found[-1][1] == low:
            found[-1][1] = high
        else:
            found.append([low, high])
    return found


def _codecs(axes: int, itemsize: int, elements: int) -> dict[str, Any]:
    """Time fastest, bytes shuffled, zstd, and a checksum."""
    codecs = library().codecs
    packed = codecs.BloscCodec(
        typesize=itemsize, cname="zstd", clevel=LEVEL, shuffle="shuffle", blocksize=elements * itemsize
    )
    turned = [codecs.TransposeCodec(order=(*range(1, axes + 1), 0))] if axes else []
    return {"filters": turned, "compressors": [packed, codecs.Crc32cCodec()]}
