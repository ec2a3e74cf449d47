"""The trajectories of a native run: computed by replay from keyframes, kept in a store as a cache under a byte budget.

A run is a function, so its store can be lost at any time: what is missing is replayed, each step compared with its
recorded hash. Blocks that were not asked for longest go first when the budget is exceeded.

Where the program of a run changed, its parameters' trajectories go on over that step, as far as they have the same name
and type on both sides.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import xxhash

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.isa.tables import declarations
from ontogeny.machine.base import Machine, value_of
from ontogeny.record import replay
from ontogeny.record.history import History
from ontogeny.record.seat import Seat
from ontogeny.record.stepper import Stepper, view
from ontogeny.record.trace import block, rows
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.reader import Opened, TraceReader
from ontogeny.record.trace.storage import LocalStorage
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Piece, Steps, Window, chosen, named
from ontogeny.record.trace.writer import code, depth_of

BUDGET = 4 << 30
"""Bytes of cached blocks in one run's folder."""


class Replayable(Protocol):
    """What is needed of a run in order to replay it."""

    folder: Path
    program: Program
    history: History
    _seat: Seat

    @property
    def step(self) -> int:
        """The step at which it stands."""

    @property
    def before(self) -> Replayable | None:
        """The run that this was before its program changed last; None where it never did."""

    def as_of(self, step: int) -> Replayable:
        """The run by whose program the step from state `step` goes."""

    @property
    def _stepper(self) -> Stepper: ...
    def _machine(self) -> Machine: ...
    def state(self, step: int | None = None) -> dict[str, Array]:
        """All registers at a step."""


class _Cached(NamedTuple):
    """A cached block: its file, its last step, and how many bytes it has."""

    name: str
    last: int
    size: int


class Replayed:
    """The trajectories of a run's parameters, or of other registers that are named: a `Traces`.

    Of parameters that are not named, those that the run has had since step 0. Where one that is named came with another
    program, the steps begin there.
    """

    def __init__(self, run: Replayable, registers: Iterable[str] | None = None, *, budget: int = BUDGET) -> None:
        self.run = run
        self.budget = budget
        program = run.program
        if registers is None:
            decls = [decl for decl in program.named_params() if begin_of(run, [decl]) == 0]
        else:
            decls = [program.decl(name) for name in registers]
        self._first = begin_of(run, decls)
        self.layout = Layout(tuple(Tensor(d.name, d.type.dtype, d.type.shape) for d in decls))
        kept = "params" if registers is None else xxhash.xxh3_64_hexdigest(" ".join(d.name for d in decls).encode())
        self.storage = LocalStorage(run.folder / "cache" / f"trace-{kept}")
        self._depth = depth_of(self.layout)
        self._opened: Opened = {}

    @property
    def steps(self) -> Steps:
        """Every step of the run at which it had the tensors."""
        return np.arange(self._first, self.run.step + 1)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors, by name, in the model's order."""
        return {tensor.name: tensor for tensor in self.layout.tensors}

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of the lanes."""
        return self._filled(window).pieces(window, names, piece_bytes)

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of time; never more than the budget, or a block, has to be cached."""
        wanted = chosen(self, names)
        first, last = self._span(window)
        ahead = self._depth * max(1, self.budget // (self._depth * self.layout.row_bytes))
        for start in range(first // self._depth * self._depth, last + 1, ahead):
            part = Window(max(start, first), min(start + ahead, last + 1))
            yield from self._filled(part).passes(part, wanted, piece_bytes)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements over a window: steps, and values [steps, places]."""
        named(self, name)
        return self._filled(window).lines(name, places, window)

    def row(self, step: int) -> dict[str, Array]:
        """All tensors at one step."""
        state = self.run.state(step)
        self._span(Window(step, step + 1))
        return picked(self.run.as_of(step).program, self.tensors, state)

    def _filled(self, window: Window) -> TraceReader:
        """All cached blocks that a window needs. Raises RecordError where they do not fit into the budget."""
        first, last = self._span(window)
        needed = (last + 1 - first) * self.layout.row_bytes
        if needed > 2 * self.budget:
            raise RecordError(
                f"the window {window} holds {needed / 2**30:.1f} GiB of values, more than the cache's budget of "
                f"{self.budget / 2**30:.1f} GiB allows; narrow the window, name fewer tensors, or raise the budget"
            )
        depth = self._depth
        starts = [max(start, self._first) for start in range(first // depth * depth, last + 1, depth)]
        with self.run._seat.lock:
            have = self._blocks()
            missing = [s for s in starts if s not in have or have[s].last < min(self._end(s), self.run.step)]
            for _, found in groupby(enumerate(missing), key=lambda item: item[1] // depth - item[0]):
                self._fill([start for _, start in found], {start: one.name for start, one in have.items()})
            have = self._blocks() if missing else have
            self._evict(have, set(starts))
            wanted = {have[start].name: have[start].size for start in starts if start in have}
            return TraceReader.of_blocks(self.storage, wanted, self._opened)

    def _end(self, start: int) -> int:
        """The last step of the block that begins at `start` once it is whole."""
        return start // self._depth * self._depth + self._depth - 1

    def _span(self, window: Window) -> tuple[int, int]:
        """The first and last step in a window."""
        steps = self.steps[window.of(self.steps)]
        if not len(steps):
            there = f"{self._first} to {self.run.step}"
            raise RecordError(f"no step of {self.run.folder} lies in {window}; there are steps {there}")
        return int(steps[0]), int(steps[-1])

    def _blocks(self) -> dict[int, _Cached]:
        """The cached blocks by first step. Of those that are gone the header is forgotten."""
        sizes = {name: size for name, size in self.storage.names().items() if name.endswith(block.SUFFIX)}
        for gone in self._opened.keys() - sizes.items():
            self._opened.pop(gone, None)
        spans = ((name, size, *block.span_of(name)) for name, size in sizes.items())
        return {first: _Cached(name, last, size) for name, size, first, last, _ in spans}

    def _fill(self, starts: Sequence[int], stale: Mapping[int, str]) -> None:
        """Replays the steps of neighbouring blocks in one walk and keeps each, in the place of a shorter one."""
        walk = walked(self.run, self.tensors, starts[0], min(self._end(starts[-1]), self.run.step))
        for start in starts:
            self._keep(start, islice(walk, self._end(start) + 1 - start), stale.get(start, ""))

    def _keep(self, start: int, steps: Iterable[tuple[int, dict[str, Array]]], stale: str) -> None:
        """Keeps one block: the tensors at each of its steps."""
        path = self.storage.spool / f"filling-{os.getpid()}-{start}"
        file = rows.RowsFile(path, self.layout)
        row = bytearray(self.layout.row_bytes)
        views = self.layout.views(row)
        try:
            for step, tensors in steps:
                for name, values in tensors.items():
                    views[name][...] = values
                file.append(step, row)
            file.close()
            if stale:
                self.storage.remove(stale)
            code(self.storage, path)
        finally:
            file.close()
            path.unlink(missing_ok=True)

    def _evict(self, have: Mapping[int, _Cached], wanted: set[int]) -> None:
        """Drops the blocks that were used longest ago, but not the wanted ones, until the budget holds."""
        for first in wanted & have.keys():
            os.utime(self._path(have[first].name))
        total = sum(one.size for one in have.values())
        if total <= self.budget:
            return
        old = [one for first, one in have.items() if first not in wanted]
        for one in sorted(old, key=lambda one: self._path(one.name).stat().st_mtime):
            if total <= self.budget:
                break
            total -= one.size
            self.storage.remove(one.name)

    def _path(self, name: str) -> Path:
        return self.storage.folder / name


def begin_of(run: Replayable, decls: Iterable[Decl]) -> int:
    """The first step from which a run has had registers of these names and types."""
    decls = list(decls)
    before = run.before
    if before is None:
        return 0
    there = {decl.name: (decl.kind, decl.type) for decl in before.program.decls}
    kept = all(there.get(decl.name) == (decl.kind, decl.type) for decl in decls)
    return begin_of(before, decls) if kept else run.history.first


def walked(run: Replayable, names: Iterable[str], first: int, last: int) -> Iterator[tuple[int, dict[str, Array]]]:
    """The registers of these names at the steps `first` to `last`, by replay, also by earlier programs.

    They share memory with the machine, and are to be read before the next is asked for. RecordError as `replay.walk`.
    """
    names = tuple(names)
    changed = run.history.first
    if first < changed and run.before is not None:
        yield from walked(run.before, names, first, min(last, changed - 1))
        first = changed
    if first <= last:
        machine = run._machine()
        run._seat.clear()
        replay.to_step(machine, run.history, run._stepper, first)
        for step in replay.walk(machine, run.history, run._stepper, first, last):
            yield step, picked(run.program, names, view(machine))


def picked(program: Program, names: Iterable[str], state: Mapping[str, Array]) -> dict[str, Array]:
    """Registers of a state by name; pieces of arenas in their own shapes."""
    decls = [declarations(program)[name] for name in names]
    return {decl.name: value_of(decl, state) for decl in decls}
