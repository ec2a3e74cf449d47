"""Reading a store, also while it is being written: `refresh` sees what came since.

Damaged chunks are named in a warning and read as NaN (zero where the format has none); everything else still answers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import RecordWarning
from ontogeny.record.trace import block, rows
from ontogeny.record.trace.layout import Layout, Place, Tensor
from ontogeny.record.trace.storage import Storage, storage_of
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Array, Piece, Steps, Window, chosen, named

Source = block.Block | rows.Rows
Opened = dict[tuple[str, int], block.Block]
"""Blocks whose headers have been read, by name and size."""


class TraceReader:
    """The trajectories in a store, a `Traces`."""

    def __init__(self, place: Path | str | Storage) -> None:
        self.storage = storage_of(place) if isinstance(place, Path | str) else place
        self._blocks: Opened = {}
        self.damage: list[str] = []
        self.refresh()

    @classmethod
    def of_blocks(cls, storage: Storage, sizes: Mapping[str, int], opened: Opened) -> TraceReader:
        """Of some blocks of a store, by name and size, and nothing else. What has to be opened is put into `opened`."""
        found = cls.__new__(cls)
        found.storage, found._blocks, found.damage = storage, opened, []
        found._take(sizes, [])
        return found

    def refresh(self) -> None:
        """Looks again at what there is."""
        # Waiting rows first: those that become a block meanwhile are then found twice, rather than not at all.
        paths = sorted(self.storage.spool.glob(f"*{rows.SUFFIX}"))
        waiting = [(int(path.stem), source) for path in paths for source in self._waiting(path)]
        self._take({n: size for n, size in self.storage.names().items() if n.endswith(block.SUFFIX)}, waiting)

    def _take(self, sizes: Mapping[str, int], waiting: list[tuple[int, Source]]) -> None:
        """Reads from these blocks, and from the rows after them."""
        opened = [self._opened(name, sizes[name]) for name in sorted(sizes)]
        found: list[Source] = [one for one in opened if one is not None]
        last = int(found[-1].steps[-1]) if found else -1
        found += [source for first, source in waiting if first > last]
        self._sources = found
        self._steps: Steps = np.concatenate([s.steps for s in found]) if found else np.empty(0, np.int64)
        ends = np.cumsum([0, *(s.rows for s in found)])
        self._starts: list[int] = ends[:-1].tolist()
        self._tensors: dict[str, Tensor] = {}
        for layout in dict.fromkeys(s.layout for s in found):
            self._tensors.update({tensor.name: tensor for tensor in layout.tensors})

    @property
    def steps(self) -> Steps:
        """The recorded steps, rising."""
        return self._steps

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors of all rows, by name; of one that changed its shape, the latest form."""
        return self._tensors

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of the lanes, at most `piece_bytes` at a time."""
        wanted = chosen(self, names)
        parts = self._parts(window)
        layouts = {source.layout for source, _ in parts}
        if len(layouts) == 1:
            yield from self._together(parts, layouts.pop(), set(wanted), piece_bytes)
        else:
            for name in wanted:
                yield from self._one(parts, name, piece_bytes)

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, block by block in the order of time."""
        wanted = set(chosen(self, names))
        for source, taken in self._parts(window):
            yield from self._together([(source, taken)], source.layout, wanted, piece_bytes)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements over a window: steps, and values [steps, places]."""
        tensor = named(self, name)
        flat = np.atleast_1d(np.asarray(places, np.int64))
        parts = self._having(self._parts(window), tensor)
        found = [self._picked(source, source.layout.place(name), flat)[rows] for source, rows in parts]
        empty = np.empty((0, len(flat)), Layout((tensor,)).banks[0].numpy)
        steps = [source.steps[rows] for source, rows in parts]
        return np.concatenate([np.empty(0, np.int64), *steps]), np.concatenate([empty, *found])

    def row(self, step: int) -> dict[str, Array]:
        """All tensors at one recorded step."""
        at = int(np.searchsorted(self._steps, step))
        if at >= len(self._steps) or self._steps[at] != step:
            near = f"; the nearest is {self._steps[min(at, len(self._steps) - 1)]}" if len(self._steps) else ""
            raise RecordError(f"step {step} is not recorded{near}")
        number = int(np.searchsorted(self._starts, at, "right")) - 1
        source, place = self._sources[number], at - self._starts[number]
        layout = source.layout
        flat = [self._read_row(source, bank, place) for bank in range(len(layout.banks))]
        return {
            name: flat[p.bank][p.first : p.first + p.tensor.size].reshape(p.tensor.shape)
            for name, p in layout.places.items()
        }

    def _read_row(self, source: Source, bank: int, place: int) -> Array:
        """One row of all lanes of a bank, a bounded number of lanes at a time."""
        found = source.layout.banks[bank]
        row = np.empty(found.lanes, found.numpy)
        width = _lanes(source.rows, found.dtype.bytes, PIECE_BYTES)
        for first in range(0, found.lanes, width):
            last = min(found.lanes, first + width)
            row[first:last] = self._read(source, bank, first, last)[place]
        return row

    def _parts(self, window: Window) -> list[tuple[Source, slice]]:
        """The sources that have rows in a window, and which rows."""
        wanted = window.of(self._steps)
        found = []
        for source, start in zip(self._sources, self._starts, strict=True):
            low, high = max(0, wanted.start - start), min(source.rows, wanted.stop - start)
            if low < high:
                found.append((source, slice(low, high)))
        return found

    def _together(
        self, parts: list[tuple[Source, slice]], layout: Layout, wanted: set[str], piece_bytes: int
    ) -> Iterator[Piece]:
        """All rows have one layout: chunks of lanes are read once, and dealt out to the tensors that lie in them."""
        steps = np.concatenate([source.steps[taken] for source, taken in parts])
        for number, bank in enumerate(layout.banks):
            width = _lanes(len(steps), bank.dtype.bytes, piece_bytes)
            inside = sorted((p for p in layout.places.values() if p.bank == number), key=lambda p: p.first)
            for first in range(0, bank.lanes, width):
                last = min(bank.lanes, first + width)
                here = [p for p in inside if p.first < last and first < p.first + p.tensor.size]
                if any(p.tensor.name in wanted for p in here):
                    values = np.concatenate([self._read(s, number, first, last)[t] for s, t in parts])
                    yield from _dealt(values, first, last, [p for p in here if p.tensor.name in wanted], steps)

    def _one(self, parts: list[tuple[Source, slice]], name: str, piece_bytes: int) -> Iterator[Piece]:
        """One tensor over rows of several layouts."""
        tensor = self._tensors[name]
        having = self._having(parts, tensor)
        if not having:
            return
        steps = np.concatenate([source.steps[rows] for source, rows in having])
        width = _lanes(len(steps), tensor.dtype.bytes, piece_bytes)
        for first in range(0, tensor.size, width):
            last = min(tensor.size, first + width)
            found = []
            for source, taken in having:
                place = source.layout.place(name)
                found.append(self._read(source, place.bank, place.first + first, place.first + last)[taken])
            yield Piece(tensor, first, steps, np.concatenate(found))

    def _having(self, parts: list[tuple[Source, slice]], tensor: Tensor) -> list[tuple[Source, slice]]:
        """The sources in which a tensor is there in its present form."""
        return [
            (source, rows)
            for source, rows in parts
            if tensor.name in source.layout.places and source.layout.places[tensor.name].tensor == tensor
        ]

    def _picked(self, source: Source, place: Place, flat: npt.NDArray[np.int64]) -> Array:
        """Single lanes of a source: [rows, places]. Neighbours in one chunk are read once."""
        found = np.empty((source.rows, len(flat)), source.layout.banks[place.bank].numpy)
        lanes = place.first + flat
        order = np.argsort(lanes, kind="stable")
        for _, group in groupby(order.tolist(), key=lambda i: int(lanes[i]) // block.CHUNK):
            members = list(group)
            first = int(lanes[members[0]])
            values = self._read(source, place.bank, first, int(lanes[members[-1]]) + 1)
            found[:, members] = values[:, lanes[members] - first]
        return found

    def _read(self, source: Source, bank: int, first: int, last: int) -> Array:
        """Lanes of a source, chunk by chunk where one is damaged."""
        try:
            return source.read(bank, first, last)
        except RecordError as error:
            if last - first <= block.CHUNK and first // block.CHUNK == (last - 1) // block.CHUNK:
                self._say(str(error))
                return _missing((source.rows, last - first), source.layout.banks[bank].numpy)
        cuts = [first, *range((first // block.CHUNK + 1) * block.CHUNK, last, block.CHUNK), last]
        parts = [self._read(source, bank, a, b) for a, b in pairwise(cuts)]
        return np.concatenate(parts, axis=1)

    def _opened(self, name: str, size: int) -> block.Block | None:
        if (known := self._blocks.get((name, size))) is not None:
            return known
        try:
            return self._blocks.setdefault((name, size), block.opened(self.storage, name, size))
        except RecordError as error:
            first, last, _ = block.span_of(name)
            self._say(f"{error}; steps {first} to {last} are missing")
            return None

    def _waiting(self, path: Path) -> list[Source]:
        """The rows that wait to become a block; none of a file that is being made, or has just become one."""
        try:
            found = rows.read_rows(path)
        except RecordError:
            return []
        return [found] if found.rows else []

    def _say(self, text: str) -> None:
        if text not in self.damage:
            self.damage.append(text)
            warnings.warn(text, RecordWarning, stacklevel=2)


def _dealt(values: Array, first: int, last: int, places: list[Place], steps: Steps) -> Iterator[Piece]:
    """Lanes `first` to `last` as pieces of the tensors in them."""
    for place in places:
        low, high = max(first, place.first), min(last, place.first + place.tensor.size)
        yield Piece(place.tensor, low - place.first, steps, values[:, low - first : high - first])


def _lanes(rows: int, itemsize: int, piece_bytes: int) -> int:
    """How many lanes are read at once: whole chunks, at least one."""
    return max(1, piece_bytes // max(1, rows * itemsize) // block.CHUNK) * block.CHUNK


def _missing(shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
    try:
        return np.full(shape, np.nan, dtype)
    except ValueError:
        return np.zeros(shape, dtype)
