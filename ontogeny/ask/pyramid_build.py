"""Building the index of charts, and building on where a run went on: one pass over the steps that are not in it yet."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, finalize

import numpy as np
import numpy.typing as npt
import xxhash
from safetensors.numpy import save_file

from ontogeny.ask.bins import BATCH, Columns, Floats, counted, empty, encoded, joined, merged
from ontogeny.ask.index_cache import traces_of
from ontogeny.ask.pyramid import (
    ALL_TENSORS,
    EIGHTH,
    FORMAT,
    GROUPS,
    NODES,
    ONE,
    SUFFIX,
    Pyramid,
    Stats,
    about,
    between,
    load,
)
from ontogeny.ask.quantity import Stream, Stretch, Z, checked, standard
from ontogeny.record.disk import disk
from ontogeny.record.trace.traces import ALL, Traces, Window

BUDGET = 2 << 30
"""Bytes of all indexes of one run. An index that takes more keeps single steps only up to there, beyond in eights."""
WIDEST = 1 << 17
WITNESSES = 64
CHECKED = 8
"""In so many files, of trajectories that have no hashes, elements are compared; in the others only their steps."""
_SCRATCH: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()
Held = dict[str, dict[int, tuple[Columns, Stats]]]


def pyramid(source: Any, quantity: str = "value", window: Window = ALL, budget: int = BUDGET) -> Pyramid:
    """The index of a quantity over a window, as far as it is not there yet built now.

    `source` is a run, native or attached, or trajectories. What is of no run is indexed in a temporary folder that goes
    with it. Raises RecordError where no recorded step lies in the window.
    """
    traces = traces_of(source)
    every = np.asarray(traces.steps)
    inside = window.some(every)
    name, steps = checked(quantity), every
    if quantity == Z:
        steps = every[inside]
        name, inside = f"z-{steps[0]}-{steps[-1]}", slice(0, len(steps))
    home = home_of(source)
    builder = _Builder(source, traces, Pyramid(home / f"chart-{name}", steps), quantity, budget)
    if builder.build(range(inside.start // NODES, -(-inside.stop // NODES))):
        _evict(home, builder.pyramid.folder, budget)
    return builder.pyramid


def stands(source: Any, quantity: str = "value") -> bool:
    """Whether the whole index of a quantity stands already, so that a chart costs nothing but its pixels."""
    traces = traces_of(source)
    steps = np.asarray(traces.steps)
    builder = _Builder(source, traces, Pyramid(home_of(source) / f"chart-{quantity}", steps), quantity, BUDGET)
    return not builder.missing(range(-(-len(steps) // NODES)))


def home_of(source: Any) -> Path:
    """The folder that indexes lie in: the run's cache, or a temporary one that lives as long as the trajectories do."""
    if (folder := getattr(source, "folder", None)) is not None:
        return Path(folder) / "cache"
    if source not in _SCRATCH:
        _SCRATCH[source] = Path(tempfile.mkdtemp(prefix="ontogeny-chart-"))
        finalize(source, shutil.rmtree, _SCRATCH[source], ignore_errors=True)
    return _SCRATCH[source]


@dataclass
class _Builder:
    source: Any
    traces: Traces
    pyramid: Pyramid
    quantity: str
    budget: int

    def missing(self, files: Iterable[int]) -> list[int]:
        """The files of level 0 that are not there, or not of this run as it is now."""
        wanted = list(files)
        seen = set(wanted[:: max(1, len(wanted) // CHECKED)]) | set(wanted[-1:])
        return [file for file in wanted if not self._fresh(0, file, self._proof(file, file in seen))]

    def build(self, files: range) -> bool:
        """Makes the missing files, and those of the levels above them; whether there were any."""
        missing = self.missing(files)
        if missing and self.quantity == Z:
            window = Window(int(self.pyramid.steps[0]), int(self.pyramid.steps[-1]) + 1)
            stream = Stream(self.traces, self.pyramid.steps, Z, standard(self.traces, window))
        else:
            stream = Stream(self.traces, self.pyramid.steps, self.quantity)
        for file in missing:
            low, high = file * NODES, min((file + 1) * NODES, len(self.pyramid.steps))
            block = _Block(low, high - low, between(file))
            for stretch in stream.stretches(low, high):
                for part in _narrow(stretch):
                    block.add(part)
            self._save(0, file, block.held(single=self._bytes() <= self.budget), self._proof(file, True))
        return self._above(0, files) or bool(missing)

    def _above(self, level: int, files: range) -> bool:
        """The files of the next level whose files below are all there."""
        below = -(-len(self.pyramid.steps) // NODES ** (level + 1))
        made = False
        if below < 2:
            return made
        parents = range(files.start // NODES, -(-files.stop // NODES))
        for file in parents:
            children = range(file * NODES, min((file + 1) * NODES, below))
            says = [about(self.pyramid.path(level, child)) for child in children]
            if None in says:
                continue
            proof = xxhash.xxh3_64_hexdigest(" ".join(one["proof"] for one in says if one).encode())
            if not self._fresh(level + 1, file, proof):
                self._save(level + 1, file, _gathered(self.pyramid, level, children), proof)
                made = True
        return self._above(level + 1, parents) or made

    def _fresh(self, level: int, file: int, proof: str) -> bool:
        found = about(self.pyramid.path(level, file))
        return found is not None and found["format"] == FORMAT and found["proof"].startswith(proof)

    def _proof(self, file: int, closely: bool) -> str:
        """What changes when the trajectories that a file is of are not the same; a beginning of it without elements."""
        steps = self.pyramid.steps[max(0, file * NODES - 1) : (file + 1) * NODES]
        if hasattr(self.source, "hash"):
            return f"{steps[0]}-{steps[-1]}-{len(steps)}-{self.source.hash(int(steps[-1]))}"
        tensors = self.traces.tensors
        shape = repr([(t.name, str(t.dtype), t.shape) for t in tensors.values()]).encode()
        proof = xxhash.xxh3_64_hexdigest(steps.tobytes() + shape)
        if not closely or not tensors:
            return proof
        tensor, at = next(iter(tensors.values())), Window(int(steps[-1]), int(steps[-1]) + 1)
        places = np.linspace(0, max(0, tensor.size - 1), min(tensor.size, WITNESSES)).astype(np.int64)
        return f"{proof}-{xxhash.xxh3_64_hexdigest(self.traces.lines(tensor.name, places, at)[1].tobytes())}"

    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in self.pyramid.folder.glob(f"*{SUFFIX}"))

    def _save(self, level: int, file: int, held: Held, proof: str) -> None:
        """Writes a file beside, then renames it, so that no half of one is ever read."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for place, groups in enumerate(held.values()):
            for size, (columns, stats) in groups.items():
                arrays[f"{place}/{size}"] = encoded(columns)
                arrays[f"{place}/{size}/stats"] = stats.array()
        single = any(1 in groups for groups in held.values())
        said = json.dumps({"format": FORMAT, "proof": proof, "names": list(held), "single": single})
        path = self.pyramid.path(level, file)
        with disk("writing", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}.making")
            save_file(arrays, beside, {"about": said})
            os.replace(beside, path)
        for known in ("files", "whole"):
            self.pyramid.__dict__.pop(known, None)


@dataclass
class _Block:
    """The histograms of some recorded steps under way: `between` columns for each."""

    row: int
    rows: int
    between: int
    columns: dict[str, dict[tuple[int, int], Columns]] = field(default_factory=dict)
    stats: dict[str, Floats] = field(default_factory=dict)

    def add(self, stretch: Stretch) -> None:
        """Some elements over some of the steps."""
        name, count = stretch.tensor.name, len(stretch.numbers) - 1
        first = stretch.row - self.row
        at = (first * self.between, (first + count) * self.between)
        found = joined([counted(part) for part in _lines(stretch.numbers, self.between)])
        known = self.columns.setdefault(name, {})
        known[at] = merged([known[at], found], len(found)) if at in known else found
        held = Stats.of(self.stats.setdefault(name, _nothing(self.rows))[:, first : first + count])
        self.stats[name][:, first : first + count] = Stats.together([held, _stats(stretch.numbers[1:])]).array()

    def held(self, single: bool) -> Held:
        """What the file keeps, of each tensor and of all together."""
        found: Held = {}
        for name, parts in self.columns.items():
            found[name] = self._groups(self._assembled(parts), Stats.of(self.stats[name]))
        wide = self.rows * self.between
        whole = merged([groups[1][0] for groups in found.values()], wide)
        stats = [groups[1][1] for groups in found.values()]
        together = Stats.together(stats) if stats else Stats.of(_nothing(self.rows))
        found[ALL_TENSORS] = self._groups(whole, together)
        if not single:
            for groups in found.values():
                del groups[1]
        return found

    def _groups(self, columns: Columns, stats: Stats) -> dict[int, tuple[Columns, Stats]]:
        ends = columns.taken(np.arange(self.between - 1, len(columns), self.between))
        return {1: (columns, stats), **_sums(ends, stats)}

    def _assembled(self, parts: Mapping[tuple[int, int], Columns]) -> Columns:
        """The parts of one tensor in their places."""
        wide, rows, at = self.rows * self.between, [], 0
        for (first, last), columns in sorted(parts.items()):
            if first < at:
                return merged([_placed(columns, first, wide) for (first, _), columns in parts.items()], wide)
            rows += [empty(first - at), columns]
            at = last
        return joined([*rows, empty(wide - at)])


def _placed(columns: Columns, first: int, wide: int) -> Columns:
    return joined([empty(first), columns, empty(wide - first - len(columns))])


def _sums(columns: Columns, stats: Stats) -> dict[int, tuple[Columns, Stats]]:
    eights, found = columns.grouped(GROUPS[1]), stats.grouped(GROUPS[1])
    return {8: (eights, found), 64: (eights.grouped(8), found.grouped(8))}


def _gathered(pyramid: Pyramid, level: int, children: range) -> Held:
    """What a file above some others holds: copies of their groups, and what those add up to."""
    paths = [pyramid.path(level, child) for child in children]
    names = dict.fromkeys(name for path in paths for name in (about(path) or {"names": []})["names"])
    held: Held = {}
    for name in names:
        copies = {group: _copied(paths, name, size) for group, size in ((EIGHTH, GROUPS[1]), (ONE, GROUPS[2]))}
        held[name] = copies | _sums(*copies[ONE])
    return held


def _copied(paths: list[Path], name: str, size: int) -> tuple[Columns, Stats]:
    """A tensor's groups of a size in some files one after another; empty ones where it is not there."""
    columns, stats = [], []
    for path in paths:
        found = load(path, name, size)
        if found is None:
            whole = load(path, ALL_TENSORS, size)
            wide = len(whole[0]) if whole else 0
            found = empty(wide), Stats.of(_nothing(wide))
        columns.append(found[0])
        stats.append(found[1].array())
    return joined(columns), Stats.of(np.concatenate(stats, axis=1))


def _nothing(nodes: int) -> Floats:
    """The stats of nodes that hold nothing."""
    return np.repeat([[np.inf], [-np.inf], [0.0], [0.0], [0.0]], nodes, axis=1)


def _narrow(stretch: Stretch) -> Iterator[Stretch]:
    """The stretch, some of its elements at a time, so that the places between its steps take bounded memory."""
    for first in range(0, stretch.numbers.shape[1], WIDEST):
        numbers = stretch.numbers[:, first : first + WIDEST]
        yield Stretch(stretch.tensor, stretch.first + first, stretch.row, numbers, stretch.led)


def _lines(numbers: Floats | Any, between: int) -> Iterator[Any]:
    """The numbers [steps + 1, n] at `between` places from each step to the next, the last of which is the next."""
    wide = numbers.shape[1]
    rows = max(1, BATCH // max(1, between * wide))
    share = (np.arange(1, between + 1, dtype=np.float32) / np.float32(between))[None, :, None]
    for first in range(0, len(numbers) - 1, rows):
        ends = numbers[first + 1 : first + 1 + rows]
        if between == 1:
            yield ends
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            found = numbers[first : first + len(ends), None] * (1 - share) + ends[:, None] * share
        found[:, -1] = ends
        yield found.reshape(-1, wide)


def _stats(numbers: Any) -> Stats:
    """Of each row of numbers [rows, n]."""
    finite = np.full(len(numbers), numbers.shape[1], np.float64)
    low, high = numbers.min(1).astype(np.float64), numbers.max(1).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        total = numbers.sum(1, dtype=np.float64)
    for row in np.flatnonzero(~(np.isfinite(low) & np.isfinite(high))):
        sound = numbers[row][np.isfinite(numbers[row])]
        finite[row] = len(sound)
        total[row] = sound.sum(dtype=np.float64)
        low[row], high[row] = (sound.min(), sound.max()) if len(sound) else (np.inf, -np.inf)
    return Stats(low, high, total, finite, numbers.shape[1] - finite)


def _evict(home: Path, keep: Path, budget: int) -> None:
    """Drops the indexes that were used longest ago, but not one, until the budget holds."""
    folders = {path: sum(f.stat().st_size for f in path.iterdir()) for path in home.glob("chart-*") if path.is_dir()}
    held = sum(folders.values())
    for path in sorted(folders, key=lambda path: path.stat().st_mtime):
        if held > budget and path != keep:
            shutil.rmtree(path, ignore_errors=True)
            held -= folders[path]
