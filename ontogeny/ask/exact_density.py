"""The density of lines counted from the values themselves: where they are few, or pixels finer than the index's bins.

In each column of pixels a line counts as much as it covers of the column's width, in each row as much of that as it is
there. So even a steep line is drawn whole, and each column adds up to the number of elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ontogeny.ask.bins import Counts, Floats, Singles
from ontogeny.ask.density import Density
from ontogeny.ask.quantity import Stream, Stretch

BATCH = 1 << 19
MOST_ROWS = 1 << 20
"""So many crossed rows are counted at a time."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Straight parts of lines, none across an edge between columns: from `start` to `end` on the way to row `row`."""

    row: Counts
    start: Floats
    end: Floats
    column: Counts
    weight: Floats


def from_values(
    stream: Stream, inside: slice, steps: Floats, groups: Sequence[tuple[Sequence[str], Floats, Density]]
) -> list[Density]:
    """The densities of several groups of tensors over some recorded steps, exactly.

    `steps` are the edges between columns; a group has its tensors, the edges between its rows, and the density from the
    index, whose least, greatest and mean numbers are kept.
    """
    columns = len(steps) - 1
    held = [_Counted(edges, np.zeros((columns, len(edges) + 1)), np.zeros(columns)) for _, edges, _ in groups]
    parts = cut(stream.steps[inside].astype(np.float64), steps)
    names = [name for tensors, _, _ in groups for name in tensors]
    for stretch in stream.stretches(inside.start, inside.stop, names):
        mine = _of(parts, stretch.row - inside.start, len(stretch.numbers) - 1, stretch.led)
        for (tensors, _, _), counted in zip(groups, held, strict=True):
            if stretch.tensor.name in tensors:
                counted.add(stretch, mine)
    return [counted.density(known) for (_, _, known), counted in zip(groups, held, strict=True)]


def cut(steps: Floats, edges: Floats) -> Parts:
    """The ways from each of some steps to the next, cut at the edges of columns. Row r ends at step r."""
    width = edges[1] - edges[0]
    if len(steps) == 1:
        columns = np.arange(len(edges) - 1)
        ones = np.ones(len(columns))
        return Parts(np.zeros(len(columns), np.int64), ones, ones, columns, ones)
    cuts = np.unique(np.concatenate([steps, edges[(edges > steps[0]) & (edges < steps[-1])]]))
    row = np.searchsorted(steps, cuts[:-1], "right")
    span = steps[row] - steps[row - 1]
    column = np.clip(np.searchsorted(edges, (cuts[1:] + cuts[:-1]) / 2, "right") - 1, 0, len(edges) - 2)
    start, end = (cuts[:-1] - steps[row - 1]) / span, (cuts[1:] - steps[row - 1]) / span
    return Parts(row, start, end, column, np.diff(cuts) / width)


def _of(parts: Parts, row: int, rows: int, led: bool) -> Parts:
    """The parts that end in some rows, counted from the first; those on the way to the first only if it is led to."""
    some = slice(*np.searchsorted(parts.row, [row, row + rows]))
    if not led and len(parts.row) and parts.start[0] < 1:
        some = slice(int(np.searchsorted(parts.row, row + 1)), some.stop)
    return Parts(parts.row[some] - row, parts.start[some], parts.end[some], parts.column[some], parts.weight[some])


@dataclass
class _Counted:
    """Counts under way [columns, rows + 2], those below and above the rows at the ends; and elements seen."""

    edges: Floats
    counts: Floats
    elements: Floats

    def add(self, stretch: Stretch, parts: Parts) -> None:
        """The lines of a stretch. Those that stay out of the picture need not be followed."""
        low, high = stretch.numbers.min(0), stretch.numbers.max(0)
        above, below = (low >= self.edges[-1]) & (high < np.inf), (high < self.edges[0]) & (low > -np.inf)
        weight = np.bincount(parts.column, parts.weight, minlength=len(self.elements))
        self.elements += weight * stretch.numbers.shape[1]
        self.counts[:, 0] += np.count_nonzero(below) * weight
        self.counts[:, -1] += np.count_nonzero(above) * weight
        followed = stretch.numbers[:, ~(above | below)]
        batch = max(1, BATCH // max(1, followed.shape[1]))
        for first in range(0, len(parts.row), batch):
            some = slice(first, first + batch)
            self._follow(followed, Parts(*(getattr(parts, name)[some] for name in Parts.__slots__)))

    def _follow(self, numbers: Singles, parts: Parts) -> None:
        before, after = numbers[parts.row], numbers[parts.row + 1]
        begin, end = _between(before, after, parts.start), _between(before, after, parts.end)
        sound = np.isfinite(begin) & np.isfinite(end)
        column = np.broadcast_to(parts.column[:, None], sound.shape)[sound]
        weight = np.broadcast_to(parts.weight[:, None], sound.shape)[sound]
        low = np.minimum(begin[sound], end[sound]).astype(np.float64)
        high = np.maximum(begin[sound], end[sound]).astype(np.float64)
        first, last = np.searchsorted(self.edges, low, "right"), np.searchsorted(self.edges, high, "left")
        flat = last <= first
        self._count(column[flat], first[flat], weight[flat])
        steep = np.flatnonzero(~flat)
        ends = np.cumsum((last - first + 1)[steep])
        for cut in np.split(steep, np.flatnonzero(np.diff(ends // MOST_ROWS)) + 1):
            self._steep(column[cut], first[cut], last[cut], weight[cut], low[cut], high[cut])

    def _steep(self, column: Counts, first: Counts, last: Counts, weight: Floats, low: Floats, high: Floats) -> None:
        """Parts that cross edges between rows: of each row the share of the way that lies in it."""
        crossed = last - first + 1
        part = np.repeat(np.arange(len(first)), crossed)
        row = np.arange(len(part)) - np.repeat(np.cumsum(crossed) - crossed - first, crossed)
        reach = np.concatenate([[-np.inf], self.edges, [np.inf]])
        way = np.minimum(high[part], reach[row + 1]) - np.maximum(low[part], reach[row])
        self._count(column[part], row, weight[part] * way / (high - low)[part])

    def _count(self, column: Counts, row: Counts, weight: Floats) -> None:
        shape, size = self.counts.shape, self.counts.size
        self.counts += np.bincount(column * shape[1] + row, weight, minlength=size).reshape(shape)

    def density(self, known: Density) -> Density:
        """What was counted, with what is known of the numbers at the steps."""
        counts = np.ascontiguousarray(self.counts[:, 1:-1].T, np.float32)
        nonfinite = np.maximum(0.0, self.elements - self.counts.sum(1))
        nonfinite[nonfinite < 1e-6 * np.maximum(1, self.elements)] = 0.0
        return replace(known, counts=counts, below=self.counts[:, 0], above=self.counts[:, -1], nonfinite=nonfinite)


def _between(before: Singles, after: Singles, share: Floats) -> Singles:
    """The numbers at a share of the way, exactly those at its ends."""
    part = share.astype(np.float32)[:, None]
    with np.errstate(invalid="ignore", over="ignore"):
        found = before * (1 - part) + after * part
    return np.where(part == 1, after, np.where(part == 0, before, found))
