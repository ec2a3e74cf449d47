"""Moments of every parameter's chart over a window: of its values, and of its updates.

One pass over the recorded steps in the order of time, merging the moments of each block; memory is constant per
element. An update at step s is value(s) - value(s - 1), in f64; the first step of a window has one where the step
before it is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.moments import NAMES, Moments, Over, TensorMoments
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import ALL, Piece, Traces, Window, shown

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extreme:
    """An element that stands out: by which moment, how far (in standard deviations of that moment in its tensor)."""

    element: str
    moment: str
    value: float
    deviation: float


def moments(traces: Traces, window: Window = ALL, names: Iterable[str] | None = None) -> list[TensorMoments]:
    """The moments of every element over a window, tensor by tensor. Raises RecordError where no step lies in it."""
    steps = traces.steps[window.of(traces.steps)]
    if not len(steps):
        raise RecordError(f"no recorded step lies in {window}")
    gathered: dict[str, _Gathered] = {}
    for piece in traces.passes(_one_before(traces, window), names):
        state = gathered.setdefault(piece.tensor.name, _Gathered(piece.tensor))
        state.add(piece, int(steps[0]))
    return [state.found() for state in gathered.values()]


def _one_before(traces: Traces, window: Window) -> Window:
    """The window with the recorded step before it, which the first update starts from."""
    low = window.of(traces.steps).start
    return Window(int(traces.steps[max(0, low - 1)]), window.stop)


class _Gathered:
    """One tensor's moments under way, run of lanes by run of lanes, and each run's last row."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.runs: dict[tuple[int, int], tuple[Moments, Moments, Floats]] = {}

    def add(self, piece: Piece, first: int) -> None:
        """A piece of some rows. Rows before `first` are only what an update starts from."""
        key = (piece.first, piece.values.shape[1])
        values = piece.values.astype(np.float64)
        before = self.runs.get(key)
        joined = values if before is None else np.concatenate([before[2][None], values])
        inside = values[piece.steps >= first]
        own, moved = Moments.of(inside), Moments.of(np.diff(joined, axis=0))
        if before is not None:
            own, moved = before[0].merged(own), before[1].merged(moved)
        self.runs[key] = own, moved, values[-1]

    def found(self) -> TensorMoments:
        """The runs side by side."""
        parts = [self.runs[key] for key in sorted(self.runs)]
        return TensorMoments(self.tensor, _joined([p[0] for p in parts]), _joined([p[1] for p in parts]))


def _joined(parts: list[Moments]) -> Moments:
    counts = {part.count for part in parts}
    if len(counts) != 1:
        raise RecordError(f"elements of one tensor were seen {sorted(counts)} times; its shards differ in steps")
    arrays = (np.concatenate([getattr(p, name) for p in parts]) for name in ("mean", "m2", "m3", "m4"))
    return Moments(counts.pop(), *arrays)


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
