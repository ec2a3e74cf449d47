"""The trajectories of a native run: computed by replay from keyframes, kept in a store as a cache under a byte budget.

A run is a function, so its store can be lost at any time: what is missing is replayed, each step compared with its
recorded hash. Blocks that were not asked for longest go first when the budget is exceeded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import xxhash

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.base import Machine
from ontogeny.record import replay
from ontogeny.record.history import History
from ontogeny.record.seat import Seat
from ontogeny.record.stepper import Stepper, view
from ontogeny.record.trace import block, rows
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.reader import TraceReader
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
    def step(self) -> int: ...
    @property
    def _stepper(self) -> Stepper: ...
    def _machine(self) -> Machine: ...
    def state(self, step: int | None = None) -> dict[str, Array]:
        """All registers at a step."""


class Replayed:
    """The trajectories of a run's parameters, or of other registers that are named: a `Traces`."""

    def __init__(self, run: Replayable, registers: Iterable[str] | None = None, *, budget: int = BUDGET) -> None:
        self.run = run
        self.budget = budget
        program = run.program
        decls = list(program.named_params()) if registers is None else [program.decl(name) for name in registers]
        self._decls: list[Decl] = decls
        self.layout = Layout(tuple(Tensor(d.name, d.type.dtype, d.type.shape) for d in decls))
        kept = "params" if registers is None else xxhash.xxh3_64_hexdigest(" ".join(d.name for d in decls).encode())
        self.storage = LocalStorage(run.folder / "cache" / f"trace-{kept}")
        self._depth = depth_of(self.layout)

    @property
    def steps(self) -> Steps:
        """Every step of the run, from 0."""
        return np.arange(self.run.step + 1)

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
        return self._picked(self.run.state(step))

    def _picked(self, state: dict[str, Array]) -> dict[str, Array]:
        """The tensors in a state; pieces of arenas in their own shapes."""
        found = {}
        for decl in self._decls:
            whole = state[decl.arena or decl.name].reshape(-1)
            found[decl.name] = whole[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape)
        return found

    def _filled(self, window: Window) -> TraceReader:
        """The cache with every block that a window needs. Raises RecordError where they do not fit into the budget."""
        first, last = self._span(window)
        needed = (last + 1 - first) * self.layout.row_bytes
        if needed > 2 * self.budget:
            raise RecordError(
                f"the window {window} holds {needed / 2**30:.1f} GiB of values, more than the cache's budget of "
                f"{self.budget / 2**30:.1f} GiB allows; narrow the window, name fewer tensors, or raise the budget"
            )
        starts = range(first // self._depth * self._depth, last + 1, self._depth)
        with self.run._seat.lock:
            have = self._blocks()
            missing = [s for s in starts if have.get(s, ("", -1))[1] < min(s + self._depth - 1, self.run.step)]
            for _, found in groupby(enumerate(missing), key=lambda item: item[1] - item[0] * self._depth):
                self._fill([start for _, start in found], {start: name for start, (name, _) in have.items()})
            self._evict(set(starts))
        return TraceReader(self.storage)

    def _span(self, window: Window) -> tuple[int, int]:
        """The first and last step in a window."""
        steps = self.steps[window.of(self.steps)]
        if not len(steps):
            raise RecordError(f"no step of {self.run.folder} lies in {window}; there are steps 0 to {self.run.step}")
        return int(steps[0]), int(steps[-1])

    def _blocks(self) -> dict[int, tuple[str, int]]:
        """The cached blocks by first step: name and last step."""
        found = {}
        for name in self.storage.names():
            if name.endswith(block.SUFFIX):
                first, last, _ = block.span_of(name)
                found[first] = name, last
        return found

    def _fill(self, starts: Sequence[int], stale: Mapping[int, str]) -> None:
        """Replays the steps of neighbouring blocks in one walk and keeps each, in the place of a shorter one."""
        run, last = self.run, min(starts[-1] + self._depth - 1, self.run.step)
        machine = run._machine()
        run._seat.clear()
        replay.to_step(machine, run.history, run._stepper, starts[0])
        walk = replay.walk(machine, run.history, run._stepper, starts[0], last)
        for start in starts:
            self._keep(start, islice(walk, self._depth), machine, stale.get(start, ""))

    def _keep(self, start: int, steps: Iterable[int], machine: Machine, stale: str) -> None:
        """Keeps one block: the machine's state at each of its steps."""
        path = self.storage.spool / f"filling-{os.getpid()}-{start}"
        file = rows.RowsFile(path, self.layout)
        row = bytearray(self.layout.row_bytes)
        views = self.layout.views(row)
        try:
            for step in steps:
                for name, values in self._picked(dict(view(machine))).items():
                    views[name][...] = values
                file.append(step, row)
            file.close()
            if stale:
                self.storage.remove(stale)
            code(self.storage, path)
        finally:
            file.close()
            path.unlink(missing_ok=True)

    def _evict(self, wanted: set[int]) -> None:
        """Drops the blocks that were used longest ago, but not the wanted ones, until the budget holds."""
        have = self._blocks()
        for first in wanted & have.keys():
            os.utime(self._path(have[first][0]))
        sizes = self.storage.names()
        total = sum(sizes[name] for name, _ in have.values())
        old = sorted((f for f in have if f not in wanted), key=lambda f: self._path(have[f][0]).stat().st_mtime)
        for first in old:
            if total <= self.budget:
                break
            total -= sizes[have[first][0]]
            self.storage.remove(have[first][0])

    def _path(self, name: str) -> Path:
        return self.storage.folder / name
