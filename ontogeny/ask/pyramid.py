"""The index that charts are drawn from: histograms of every tensor at every recorded step, and of groups of steps.

A file holds 64 nodes, and what 8 and all 64 of them add up to. At level 0 a node is a recorded step; at level 1 it is
the 64 steps of a file of level 0, and so on: a picture of many steps reads about as little as one of few. Between
a step and the one before it level 0 has histograms of the straight lines between each element's two values as well,
the more of them the fewer steps a run had by then, so that a chart of few steps shows lines and not dots.

Files can be deleted at any time. Each carries what proves it fresh: of a native run the hash of its last state, of
other trajectories a digest of its steps and of some elements at the last of them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from ontogeny.ask.bins import Columns, Counts, Floats, decoded
from ontogeny.record.trace.traces import Steps

NODES = 64
GROUPS = (1, 8, 64)
"""How many nodes of a file are added up in each of the three things it holds."""
ALL_TENSORS = ""
"""The name under which a file has all tensors together."""
SUFFIX = ".chart"
EIGHTH, ONE = 0, 1
"""Above level 0 a file has copies of its children's groups of 8, and of 64: one file is read for 64 of them."""
FORMAT = 2
IN_MEMORY = 512 << 20


def between(number: int) -> int:
    """Columns from one step to the next in file `number` of level 0: 1024 or more over a run that ends in it."""
    return max(1, 16 >> number.bit_length())


@dataclass(frozen=True, slots=True)
class Stats:
    """Of each node: least, greatest and sum of the finite numbers, how many those are, and how many are not finite."""

    low: Floats
    high: Floats
    total: Floats
    finite: Floats
    nonfinite: Floats

    @staticmethod
    def of(rows: Floats) -> Stats:
        """From an array [5, nodes]."""
        return Stats(*rows)

    def array(self) -> Floats:
        """As an array [5, nodes]."""
        return np.stack([self.low, self.high, self.total, self.finite, self.nonfinite])

    def grouped(self, size: int) -> Stats:
        """Every `size` neighbouring nodes together."""
        cuts = np.arange(0, len(self.low), size)
        low, high = np.minimum.reduceat(self.low, cuts), np.maximum.reduceat(self.high, cuts)
        return Stats(low, high, *(np.add.reduceat(one, cuts) for one in (self.total, self.finite, self.nonfinite)))

    @staticmethod
    def together(parts: Sequence[Stats]) -> Stats:
        """Those of several tensors at the same nodes."""
        low = np.min([part.low for part in parts], axis=0)
        high = np.max([part.high for part in parts], axis=0)
        sums = [np.sum([getattr(p, name) for p in parts], axis=0) for name in ("total", "finite", "nonfinite")]
        return Stats(low, high, *sums)


@dataclass(frozen=True, slots=True)
class Node:
    """Where the histogram of some steps stands: in a file of a level, which of its groups of `size` nodes.

    `column` is the column of it; `steps` is how many recorded steps it holds. Size EIGHTH is an eighth of a node.
    """

    level: int
    file: int
    size: int
    column: int
    steps: int


_MEMORY: OrderedDict[tuple[str, int, str], tuple[Columns, Stats]] = OrderedDict()


@dataclass(frozen=True)
class Pyramid:
    """An index in a folder, of the recorded `steps`; made by `pyramid_build.pyramid`."""

    folder: Path
    steps: Steps

    def path(self, level: int, file: int) -> Path:
        """Where a file of a level lies."""
        return self.folder / f"{level}-{file:09d}{SUFFIX}"

    @cached_property
    def files(self) -> frozenset[tuple[int, int]]:
        """The files that there are: level and number."""
        names = [path.stem.split("-") for path in self.folder.glob(f"*{SUFFIX}")]
        return frozenset((int(level), int(file)) for level, file in names)

    @cached_property
    def whole(self) -> frozenset[tuple[int, int]]:
        """The files of level 0 that hold single steps too, and not only groups of eight."""
        lowest = [one for one in self.files if one[0] == 0]
        return frozenset(one for one in lowest if (said := about(self.path(*one))) and said["single"])

    def node(self, row: int, fraction: float = 1.0) -> Node:
        """The histogram at a recorded step, or on the way to it from the one before: `fraction` of that way."""
        file, inside = divmod(row, NODES)
        if (0, file) not in self.whole:
            return Node(0, file, 8, inside // 8, min(8, len(self.steps) - row // 8 * 8))
        columns = between(file)
        part = min(columns, max(1, round(fraction * columns)))
        return Node(0, file, 1, inside * columns + part - 1, 1)

    def place(self, node: Node) -> int:
        """Which of the file's nodes, in groups of the node's size, it is: the place of its `Stats`."""
        return node.column // between(node.file) if node.level == 0 and node.size == 1 else node.column

    def cover(self, low: int, high: int) -> list[Node]:
        """As few nodes as hold the recorded steps from number `low` up to, and without, `high`."""
        found: list[Node] = []
        while low < high:
            size, level, group = self._largest(low, high)
            if size == 1:
                found.append(self.node(low))
            else:
                if (level + 1, low // NODES ** (level + 2)) in self.files:
                    level, group = level + 1, ONE if group == NODES else EIGHTH
                file, inside = divmod(low, NODES ** (level + 1))
                found.append(Node(level, file, group, inside // size, min(size, len(self.steps) - low)))
            low += size
        return found

    def _largest(self, low: int, high: int) -> tuple[int, int, int]:
        """The largest node that begins at `low` and ends by `high`: its steps, level, and group."""
        best, level = (1, 0, 1), 0
        while True:
            for group in GROUPS[1:]:
                size = group * NODES**level
                ends = low + size <= high or high == len(self.steps)
                if low % size or not ends or (level and (level, low // NODES ** (level + 1)) not in self.files):
                    return best
                best = (size, level, group)
            level += 1

    def read(self, node: Node, tensor: str) -> tuple[Columns, Stats] | None:
        """All columns of the file that a node is in, of a tensor; None where it was not there then."""
        path = self.path(node.level, node.file)
        key = (str(path), path.stat().st_mtime_ns, f"{tensor}/{node.size}")
        if key in _MEMORY:
            _MEMORY.move_to_end(key)
            return _MEMORY[key]
        found = load(path, tensor, node.size)
        if found is not None:
            _MEMORY[key] = found
            while sum(columns.nbytes for columns, _ in _MEMORY.values()) > IN_MEMORY and len(_MEMORY) > 1:
                _MEMORY.popitem(last=False)
        return found


def forget() -> None:
    """Drops what was read of all indexes, which then is read from their files again."""
    _MEMORY.clear()


def load(path: Path, tensor: str, size: int) -> tuple[Columns, Stats] | None:
    """What a file holds of a tensor in groups of `size`."""
    with safe_open(path, "numpy") as file:
        names = json.loads(file.metadata()["about"])["names"]
        if tensor not in names:
            return None
        key = f"{names.index(tensor)}/{size}"
        return decoded(file.get_tensor(key)), Stats.of(file.get_tensor(f"{key}/stats"))


def about(path: Path) -> dict[str, Any] | None:
    """What a file says of itself; None where it cannot be read."""
    try:
        with safe_open(path, "numpy") as file:
            found: dict[str, Any] = json.loads(file.metadata()["about"])
            return found
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def row_numbers(steps: Steps, places: Floats) -> tuple[Counts, Floats]:
    """Where places on the axis of steps lie: the recorded step at or after each, and which share of the way to it."""
    position = np.interp(places, steps, np.arange(len(steps)))
    row = np.ceil(position).astype(np.int64)
    return row, np.where(row > position, position - (row - 1), 1.0)
