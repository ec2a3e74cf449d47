"""Moments and alike over a record in shards: each worker answers about one shard's store, and the answers are joined.

A lane lies in one shard, and neither question mixes lanes but for the query's own series, which every worker is given.
So what is joined is the answer about the whole, and the proof of `alike` still accounts for every element. Workers keep
the index of their shard beside its store, in `cache`, and find it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alike import AT_LEAST, Alike, Proof, Question, series_of
from ontogeny.ask.index_cache import shape_index
from ontogeny.ask.moments import moments
from ontogeny.ask.series import UPDATES, Floats, best, shapes, span
from ontogeny.ask.shape_index import Slots
from ontogeny.ask.workers import Processes, Workers
from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import Moments, TensorMoments
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.sharded import ShardedTraces, whole_places
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Array, Piece, Steps, Window, chosen, element, shown

PIECE = 1 << 22
"""Numbers of series that are compared in full at a time."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one worker is asked about: tensors of one store, over the steps that all stores have."""

    place: str
    names: tuple[str, ...]
    first: int
    last: int
    window: Window


@dataclass(frozen=True, slots=True)
class Search(Task):
    """And the query: its centred series, and what is looked for. `starts` are whole tensors' first elements."""

    over: str
    centred: Floats
    at_least: float
    either_sign: bool
    starts: dict[str, int]


class Shard:
    """Some tensors of one store over some steps: a `Traces`. Its folder is where its indexes are kept."""

    def __init__(self, task: Task) -> None:
        self._reader, self._names = TraceReader(task.place), task.names
        self._window = Window(task.first, task.last + 1)
        self.steps: Steps = self._reader.steps[self._window.of(self._reader.steps)]
        self.tensors: dict[str, Tensor] = {name: self._reader.tensors[name] for name in task.names}
        if "://" not in task.place:
            self.folder = Path(task.place)

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of the lanes."""
        return self._reader.pieces(self._within(window), chosen(self, names), piece_bytes)

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of time."""
        return self._reader.passes(self._within(window), chosen(self, names), piece_bytes)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements of a shard over a window, by their places in it."""
        return self._reader.lines(name, places, self._within(window))

    def row(self, step: int) -> dict[str, Array]:
        """The tensors at one step."""
        row = self._reader.row(step)
        return {name: row[name] for name in self._names}

    def _within(self, window: Window) -> Window:
        low, high = self._window.start or 0, self._window.stop or 0
        start = low if window.start is None else max(low, window.start)
        return Window(start, high if window.stop is None else min(high, window.stop))


def moments_of_shards(
    places: Sequence[str], window: Window = ALL, names: Iterable[str] | None = None, workers: Workers | None = None
) -> list[TensorMoments]:
    """What `moments` says of the whole, by workers (default: two processes), one shard's store at a time.

    `places` are the stores, as `shard_folders` lists them. Raises RecordError where their steps do not agree.
    """
    whole = ShardedTraces(places)
    wanted = chosen(whole, names)
    answers = (workers or Processes()).map(_moments, _tasks(whole, places, wanted, window))
    parts: dict[str, list[TensorMoments]] = {name: [] for name in wanted}
    for answer in answers:
        for found in answer:
            parts[found.tensor.name].append(found)
    return [_joined(whole.tensors[name], parts[name]) for name in wanted]


def alike_of_shards(
    places: Sequence[str],
    query: str,
    at_least: float = AT_LEAST,
    *,
    over: str = UPDATES,
    window: Window = ALL,
    either_sign: bool = False,
    workers: Workers | None = None,
) -> Alike:
    """What `alike` says of the whole for a threshold, by workers (default: two processes), one shard at a time.

    Raises RecordError for a query that has no shape, and where the steps of the stores do not agree.
    """
    if not 0 < at_least <= 1:
        raise RecordError(f"a correlation of at least {at_least} was asked for; give a number above 0 and up to 1")
    whole = ShardedTraces(places)
    points = span(whole, over, window)
    name, place = element(whole, query)
    centred, constant, unsound = shapes(points.series(whole.lines(name, [place], points.states)[1]))
    if constant[0] or unsound[0]:
        raise RecordError(f"{query} has no shape over {window}: its {over} are all the same, or not all finite")
    sizes = [tensor.size for tensor in whole.tensors.values()]
    starts = dict(zip(whole.tensors, [0, *np.cumsum(sizes)[:-1].tolist()], strict=True))
    about = (over, centred[:, 0], at_least, either_sign, starts)
    tasks = [Search(*_fields(task), *about) for task in _tasks(whole, places, list(whole.tensors), window)]
    answers = (workers or Processes()).map(_search, tasks)
    elements, scores = (np.concatenate([answer[part] for answer in answers]) for part in (0, 1))
    size = np.abs(scores) if either_sign else scores
    kept = np.flatnonzero(elements != starts[name] + place)
    kept = kept[np.lexsort((elements[kept], -size[kept]))]
    proof = Proof(*np.sum([astuple(answer[2]) for answer in answers], axis=0).tolist())
    steps = (int(points.steps[0]), int(points.steps[-1]))
    none = np.zeros(len(kept), np.int64)
    named = shown(whole.tensors[name], place)
    return Alike(named, over, steps, at_least, elements[kept], scores[kept], none, 0.0, proof, whole.tensors, starts)


def _tasks(whole: ShardedTraces, places: Sequence[str], names: Sequence[str], window: Window) -> list[Task]:
    """One for each store that holds something of the tensors; what several stores hold is asked of the first."""
    steps = whole.steps
    if not len(steps):
        raise RecordError("the stores have no step in common; nothing can be asked of the whole")
    first, last = int(steps[0]), int(steps[-1])
    taken: set[tuple[str, tuple[int, ...]]] = set()
    found = []
    for place, reader in zip(places, whole.readers, strict=True):
        if not np.array_equal(reader.steps[Window(first, last + 1).of(reader.steps)], steps):
            raise RecordError(f"{place} has steps between {first} and {last} that others lack; ask about the whole")
        mine = [n for n in names if n in reader.tensors and (n, reader.tensors[n].start) not in taken]
        taken |= {(name, reader.tensors[name].start) for name in mine}
        if mine := [name for name in mine if reader.tensors[name].size]:
            found.append(Task(place, tuple(mine), first, last, window))
    return found


def _fields(task: Task) -> tuple[str, tuple[str, ...], int, int, Window]:
    return task.place, task.names, task.first, task.last, task.window


def _moments(task: Task) -> list[TensorMoments]:
    """A worker's answer: of its shards' elements, in their own order."""
    return moments(Shard(task), task.window)


def _joined(tensor: Tensor, parts: Sequence[TensorMoments]) -> TensorMoments:
    """The shards' elements at their places in the whole tensor."""
    values, updates = (_placed(tensor.size, parts, over) for over in ("values", "updates"))
    return TensorMoments(tensor, values, updates)


def _placed(size: int, parts: Sequence[TensorMoments], over: str) -> Moments:
    arrays = {name: np.zeros(size) for name in ("mean", "m2", "m3", "m4")}
    counts = set()
    for part in parts:
        found: Moments = getattr(part, over)
        counts.add(found.count)
        for name, array in arrays.items():
            array[whole_places(part.tensor)] = getattr(found, name)
    if len(counts) > 1:
        raise RecordError(f"shards of one tensor were seen {sorted(counts)} times; their stores differ in steps")
    return Moments(counts.pop() if counts else 0, **arrays)


def _search(task: Search) -> tuple[Slots, Floats, Proof]:
    """A worker's answer: elements by number over the whole, their exact scores, and what became of all."""
    shard = Shard(task)
    points = span(shard, task.over, task.window)
    index = shape_index(shard, points)
    asked = Question(task.centred, index.removed, [0], task.either_sign)
    found = index.search(asked.unit, task.at_least, task.either_sign)
    elements = index.order[found.slots]
    counts = index.about["counts"]
    scores = np.empty(len(elements))
    width = max(1, PIECE // points.rows)
    for first in range(0, len(elements), width):
        part = slice(first, first + width)
        centred = shapes(series_of(shard, points, counts["starts"], elements[part]))[0]
        scores[part] = best(centred, task.centred, [0], task.either_sign)[0]
    keep = asked.size(scores) >= task.at_least
    spent = (found.by_head, found.by_vector, 0, len(elements))
    proof = Proof(counts["elements"], counts["constant"], counts["not_finite"], counts["missing"], *spent)
    return _whole_numbers(shard, counts["starts"], elements[keep], task.starts), scores[keep], proof


def _whole_numbers(shard: Shard, own: dict[str, int], elements: Slots, starts: dict[str, int]) -> Slots:
    """The numbers over the whole of elements by their numbers in a shard."""
    firsts = np.array(list(own.values()))
    homes = np.searchsorted(firsts, elements, "right") - 1
    found = np.empty(len(elements), np.int64)
    for home in np.unique(homes):
        name, of = list(own)[home], np.flatnonzero(homes == home)
        tensor, places = shard.tensors[name], elements[of] - firsts[home]
        if tensor.whole:
            index = np.array(np.unravel_index(places, tensor.shape)) + np.array(tensor.start)[:, None]
            places = np.ravel_multi_index(tuple(index), tensor.whole)
        found[of] = starts[name] + places
    return found
