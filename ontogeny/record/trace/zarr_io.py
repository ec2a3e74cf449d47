"""Trajectories out of a Zarr v3 group that `zarr_write` made: a `Traces`, so that every question can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.isa.hints import typed
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Array, Piece, Steps, Window, chosen, named
from ontogeny.record.trace.zarr_grid import block_shape, parts
from ontogeny.record.trace.zarr_write import STEP, Written, guarded, library, store_of, write

__all__ = ["Written", "ZarrTraces", "read", "write"]


def read(place: Path | str) -> ZarrTraces:
    """The trajectories of a group in a folder or at a URL. Raises RecordError where there is no whole one."""
    zarr = library()
    if "://" not in str(place) and not Path(place).exists():
        raise RecordError(f"there is no {place}; `{typed('trace', 'RUN', '--to-zarr', str(place))}` would write one")
    with guarded("reading", place):
        try:
            group = zarr.open_group(store_of(place), mode="r", zarr_format=3)
        except (FileNotFoundError, ValueError) as error:
            raise RecordError(f"{place} holds no Zarr v3 group; name the folder that --to-zarr wrote") from error
        about = group.attrs.asdict().get("ontogeny")
        if not isinstance(about, dict) or about.get("format") != 1:
            raise RecordError(f"{place} is not a whole group of trajectories; write it again with --to-zarr")
        return ZarrTraces(group, about["tensors"], str(place))


class ZarrTraces:
    """The trajectories in a Zarr group. Values are read as they are asked for; steps and names at once."""

    def __init__(self, group: Any, listed: list[dict[str, Any]], place: str) -> None:
        self.place = place
        self.steps: Steps = np.asarray(group[STEP][...], np.int64)
        self.tensors: dict[str, Tensor] = {found["name"]: Tensor.of_json(found) for found in listed}
        self._arrays = {found["name"]: group[found["key"]] for found in listed}
        self._present = {name: self._rows_of(array) for name, array in self._arrays.items()}

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, tensor by tensor, at most about `piece_bytes` at a time."""
        rows = window.of(self.steps)
        for name in chosen(self, names):
            tensor, present = self.tensors[name], self._present[name][rows]
            if not present.any() or not tensor.size:
                continue
            lanes = max(1, piece_bytes // ((rows.stop - rows.start) * tensor.dtype.bytes))
            for part in parts(tensor.shape, self._aligned(name, lanes)):
                yield Piece(tensor, part.first, self.steps[rows][present], self._read(name, rows, part.slices)[present])

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, a shard's steps of everything after another's."""
        rows, wanted = window.of(self.steps), chosen(self, names)
        depth = min((array.shards[0] for array in self._arrays.values()), default=1)
        for first in range(rows.start // depth * depth, rows.stop, depth):
            taken = self.steps[max(first, rows.start) : min(first + depth, rows.stop)]
            yield from self.pieces(Window(int(taken[0]), int(taken[-1]) + 1), wanted, piece_bytes)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements over a window: steps, and values [steps, places]. Neighbours in a chunk are read once."""
        tensor, rows = named(self, name), window.of(self.steps)
        flat = np.atleast_1d(np.asarray(places, np.int64))
        present = self._present[name][rows]
        found = np.empty((rows.stop - rows.start, len(flat)), self._dtype(name))
        chunk = self._arrays[name].chunks[1:]
        where = (
            np.stack(np.unravel_index(flat, tensor.shape), 1) if tensor.shape else np.zeros((len(flat), 0), np.int64)
        )
        homes = [tuple(int(at) // size for at, size in zip(one, chunk, strict=True)) for one in where]
        for home, group in groupby(sorted(range(len(flat)), key=homes.__getitem__), key=homes.__getitem__):
            members = list(group)
            corner = tuple(slice(at * size, (at + 1) * size) for at, size in zip(home, chunk, strict=True))
            values = self._taken(name, (rows, *corner))
            inside = tuple((where[members] - np.array([s.start for s in corner], np.int64)).T)
            found[:, members] = values[(slice(None), *inside)] if corner else values[:, None]
        return self.steps[rows][present], found[present]

    def row(self, step: int) -> dict[str, Array]:
        """All tensors at one step, but for those not there then. Raises RecordError for a step there is not."""
        at = int(np.searchsorted(self.steps, step))
        if at >= len(self.steps) or self.steps[at] != step:
            near = f"; the nearest is {self.steps[min(at, len(self.steps) - 1)]}" if len(self.steps) else ""
            raise RecordError(f"step {step} is not in {self.place}{near}")
        there = [name for name in self.tensors if self._present[name][at]]
        return {name: self._read(name, slice(at, at + 1), (...,)).reshape(self.tensors[name].shape) for name in there}

    def _read(self, name: str, rows: slice, slices: tuple[Any, ...]) -> Array:
        """Some of a tensor over rows: [rows, elements]."""
        return self._taken(name, (rows, *slices)).reshape(rows.stop - rows.start, -1)

    def _taken(self, name: str, index: tuple[Any, ...]) -> Array:
        """Part of an array in the tensor's own format. Raises RecordError for what is damaged or cannot be reached."""
        try:
            found = np.asarray(self._arrays[name][index])
        except (ValueError, RuntimeError, OSError) as error:
            raise RecordError(
                f"{name} in {self.place} cannot be read ({error}); write it again with --to-zarr"
            ) from error
        return np.ascontiguousarray(found).view(self._dtype(name))

    def _aligned(self, name: str, lanes: int) -> tuple[int, ...]:
        """Blocks of about so many lanes whose edges are chunks' edges."""
        tensor, chunk = self.tensors[name], self._arrays[name].chunks[1:]
        block = block_shape(tensor.shape, lanes)
        sizes = zip(tensor.shape, block, chunk, strict=True)
        return tuple(length // unit * unit if unit < length < size else length for size, length, unit in sizes)

    def _rows_of(self, array: Any) -> npt.NDArray[np.bool_]:
        """At which rows a tensor was there."""
        present = np.ones(len(self.steps), np.bool_)
        for low, high in array.attrs.get("missing", ()):
            present[low:high] = False
        return present

    def _dtype(self, name: str) -> np.dtype[Any]:
        return Layout((self.tensors[name],)).banks[0].numpy
