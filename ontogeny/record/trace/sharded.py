"""One model whose tensors are spread over processes: each wrote a store of its own, and they are read as a whole.

Steps count that every process has recorded; what some have beyond that, after one was killed, is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.storage import storage_of
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Array, Piece, Steps, Window, chosen, named

PREFIX = "rank-"


def shard_folders(place: Path | str) -> list[str]:
    """The stores of all processes below a place, in the order of their ranks; none where it is one store."""
    if isinstance(place, str) and "://" in place:
        return [f"{place.rstrip('/')}/{name}" for name in storage_of(place).folders() if name.startswith(PREFIX)]
    return sorted(str(path) for path in Path(place).glob(f"{PREFIX}*") if path.is_dir())


class ShardedTraces:
    """The trajectories of whole tensors, put together from the shards in several stores: a `Traces`."""

    def __init__(self, places: Sequence[str]) -> None:
        self.readers = [TraceReader(place) for place in places]
        self.refresh()

    def refresh(self) -> None:
        """Looks again at what there is."""
        for reader in self.readers:
            reader.refresh()
        self._steps: Steps = reduce(np.intersect1d, [reader.steps for reader in self.readers])
        self._tensors: dict[str, Tensor] = {}
        for reader in self.readers:
            for name, tensor in reader.tensors.items():
                self._tensors[name] = Tensor(name, tensor.dtype, tensor.whole or tensor.shape)

    @property
    def steps(self) -> Steps:
        """The steps that every process has recorded, rising."""
        return self._steps

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The whole tensors, by name."""
        return self._tensors

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, shard by shard; a shard's runs of neighbouring elements are pieces."""
        yield from self._dealt(window, names, piece_bytes, along_time=False)

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """The same, each shard in the order of time."""
        yield from self._dealt(window, names, piece_bytes, along_time=True)

    def _dealt(
        self, window: Window, names: Iterable[str] | None, piece_bytes: int, along_time: bool
    ) -> Iterator[Piece]:
        wanted = chosen(self, names)
        for reader, mine in zip(self.readers, self._owned(wanted), strict=True):
            walk = reader.passes if along_time else reader.pieces
            for piece in walk(window, mine, piece_bytes) if mine else ():
                known = np.isin(piece.steps, self._steps)
                if known.any():
                    yield from self._runs(piece, known)

    def _owned(self, names: list[str]) -> list[list[str]]:
        """For each store, the tensors that are read from it: all its shards, and of what is not sharded the first."""
        found: list[list[str]] = [[] for _ in self.readers]
        for name in names:
            having = [i for i, reader in enumerate(self.readers) if name in reader.tensors]
            places = {self.readers[i].tensors[name].start: i for i in reversed(having)}
            for i in sorted(set(places.values())):
                if self.readers[i].tensors[name].size:
                    found[i].append(name)
        return found

    def _runs(self, piece: Piece, known: npt.NDArray[np.bool_]) -> Iterator[Piece]:
        """The lanes of a shard's piece under their places in the whole tensor."""
        places = whole_places(piece.tensor, piece.first, piece.first + piece.values.shape[1])
        cuts = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
        for low, high in pairwise(cuts):
            values = piece.values[known, low:high]
            yield Piece(self._tensors[piece.tensor.name], int(places[low]), piece.steps[known], values)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements of a whole tensor over a window."""
        tensor = named(self, name)
        flat = np.atleast_1d(np.asarray(places, np.int64))
        steps = self._steps[window.of(self._steps)]
        found: Array | None = None
        for reader in self.readers:
            shard = reader.tensors.get(name)
            if shard is None or not shard.size:
                continue
            here, own_places = shard_places(shard, flat)
            if len(here):
                own, values = reader.lines(name, own_places, window)
                found = np.zeros((len(steps), len(flat)), values.dtype) if found is None else found
                shown = np.isin(own, steps)
                found[np.ix_(np.searchsorted(steps, own[shown]), here)] = values[shown]
        if found is None:
            raise RecordError(f"no process has recorded the elements {flat.tolist()} of {tensor.name}")
        return steps, found

    def row(self, step: int) -> dict[str, Array]:
        """All whole tensors at one step."""
        if step not in self._steps:
            raise RecordError(f"step {step} was not recorded by every process")
        found: dict[str, Array] = {}
        for reader in self.readers:
            for name, values in reader.row(step).items():
                tensor = self._tensors[name]
                whole = found.setdefault(name, np.zeros(tensor.shape, values.dtype))
                whole.reshape(-1)[whole_places(reader.tensors[name])] = values.reshape(-1)
        return found


def whole_places(shard: Tensor, first: int = 0, last: int | None = None) -> npt.NDArray[np.int64]:
    """The flat place in the whole tensor of the elements `first` to `last` of a shard, rising."""
    places = np.arange(first, shard.size if last is None else last)
    if not shard.whole:
        return places
    indexes = np.unravel_index(places, shard.shape)
    moved = tuple(index + start for index, start in zip(indexes, shard.start, strict=True))
    return np.ravel_multi_index(moved, shard.whole)


def shard_places(shard: Tensor, places: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which of some flat places in the whole tensor lie in a shard, and where in it."""
    if not shard.whole:
        return np.arange(len(places)), places
    indexes = np.array(np.unravel_index(places, shard.whole)) - np.array(shard.start)[:, None]
    here = np.flatnonzero(((indexes >= 0) & (indexes < np.array(shard.shape)[:, None])).all(0))
    return here, np.ravel_multi_index(tuple(indexes[:, here]), shard.shape)
