"""Moments of every parameter's chart over a window: of its values, and of its updates.

One pass over the recorded steps in the order of time, merging the moments of each block; memory is constant per
element. An update at step s is value(s) - value(s - 1), in f64; the first step of a window has one where the step
before it is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import NAMES, Moments, Over, TensorMoments
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Piece, Traces, Window, shown

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extreme:
    """An element that stands out: by which moment, how far (in standard deviations of that moment in its tensor)."""

    element: str
    moment: str
    value: float
    deviation: float


def moments(
    traces: Traces, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
) -> list[TensorMoments]:
    """The moments of every element over a window, tensor by tensor. Raises RecordError where no step lies in it."""
    steps = traces.steps[window.some(traces.steps)]
    gathered: dict[str, _Gathered] = {}
    for piece in traces.passes(_one_before(traces, window), names, piece_bytes):
        state = gathered.setdefault(piece.tensor.name, _Gathered(piece.tensor))
        state.add(piece, int(steps[0]))
    return [state.found() for state in gathered.values()]


def _one_before(traces: Traces, window: Window) -> Window:
    """The window with the recorded step before it, which the first update starts from."""
    low = window.of(traces.steps).start
    return Window(int(traces.steps[max(0, low - 1)]), window.stop)


class _Gathered:
    """One tensor's moments under way, and its last row. Pieces may cut it anywhere, and each time elsewhere."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self._sums: dict[Over, Floats] = {"values": np.zeros((4, tensor.size)), "updates": np.zeros((4, tensor.size))}
        self._counts = {over: np.zeros(tensor.size, np.int64) for over in self._sums}
        self._last = np.full(tensor.size, np.nan)
        self._begun = np.zeros(tensor.size, bool)

    def add(self, piece: Piece, first: int) -> None:
        """A piece of some rows. Rows before `first` are only what an update starts from."""
        values = piece.values.astype(np.float64)
        inside = piece.steps >= first
        for low, high in _even(self._begun[piece.first : piece.first + values.shape[1]]):
            some, part = slice(piece.first + low, piece.first + high), values[:, low:high]
            before = self._last[None, some] if self._begun[some.start] else part[:0]
            self._merge("values", some, part[inside])
            self._merge("updates", some, np.diff(np.concatenate([before, part]), axis=0))
            self._last[some], self._begun[some] = part[-1], True

    def _merge(self, over: Over, some: slice, values: Floats) -> None:
        """Merges observations of some elements, those together that were seen equally often."""
        counts, sums = self._counts[over], self._sums[over]
        for low, high in _even(counts[some]) if len(values) else ():
            part = slice(some.start + low, some.start + high)
            known = Moments(int(counts[part.start]), *sums[:, part]).merged(Moments.of(values[:, low:high]))
            sums[:, part] = known.mean, known.m2, known.m3, known.m4
            counts[part] = known.count

    def found(self) -> TensorMoments:
        """The moments of all elements. Raises RecordError where some were seen more often than others."""
        return TensorMoments(self.tensor, self._whole("values"), self._whole("updates"))

    def _whole(self, over: Over) -> Moments:
        counts = np.unique(self._counts[over])
        if len(counts) > 1:
            raise RecordError(
                f"elements of {self.tensor.name} were seen {counts.tolist()} times: its shards differ in steps"
            )
        return Moments(int(counts[0]) if len(counts) else 0, *self._sums[over])


def _even(values: npt.NDArray[Any]) -> Iterator[tuple[int, int]]:
    """The stretches of equal neighbours."""
    cuts = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return ((low, high) for low, high in pairwise(cuts) if low < high)


def outliers(found: Iterable[TensorMoments], over: Over = "updates", count: int = 20) -> list[Extreme]:
    """The elements that stand out most from their own tensor, by any moment, the farthest first."""
    rows: list[Extreme] = []
    for item in found:
        table = item.of(over).vector()
        for place, name in enumerate(NAMES):
            rows += _farthest(item.tensor, table[:, place], name, count)
    return sorted(rows, key=lambda row: -abs(row.deviation))[:count]


def _farthest(tensor: Tensor, column: Floats, name: str, count: int) -> Iterator[Extreme]:
    finite = np.isfinite(column)
    if finite.sum() < 3 or not np.ptp(column[finite]):
        return
    off = (column - column[finite].mean()) / column[finite].std()
    off[~finite] = 0
    for place in np.argsort(-np.abs(off))[:count]:
        yield Extreme(shown(tensor, int(place)), name, float(column[place]), float(off[place]))
