"""What a chart is of, as a stream in the order of time: values, updates, or values standardised over a window.

An update at a step is the value there less the value at the recorded step before it, in f64. A standardised value is
(value - mean) / deviation, each element by its own over the window (0 where it never moves).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ontogeny.ask.bins import Floats, Singles
from ontogeny.ask.moments import moments
from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import Array, Steps, Traces, Window

VALUE, UPDATE, Z = "value", "update", "z"
QUANTITIES = (VALUE, UPDATE, Z)
ROWS = 64
"""So many recorded steps are read at a time."""
Standard = Mapping[str, tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some elements of a tensor, from flat place `first` on, over neighbouring recorded steps.

    `numbers` is [steps + 1, elements], in f32: before those of the steps, the first of which is the `row`-th recorded
    one, stand those of the step before; where there is none, `led` is False and they are NaN.
    """

    tensor: Tensor
    first: int
    row: int
    numbers: Singles
    led: bool = True


def checked(quantity: str) -> str:
    """The quantity. Raises RecordError for one that there is not."""
    if quantity not in QUANTITIES:
        raise RecordError(f"{quantity!r} is nothing that a chart is of; choose {', '.join(QUANTITIES)}")
    return quantity


def standard(traces: Traces, window: Window) -> Standard:
    """The mean of every element over a window, and one over its deviation (0 where it never moves)."""
    found = {}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for item in moments(traces, window):
            deviation = np.sqrt(item.values.m2 / max(1, item.values.count))
            found[item.tensor.name] = item.values.mean, np.where(deviation == 0, 0.0, 1 / deviation)
    return found


@dataclass
class Stream:
    """Numbers of one quantity at the recorded `steps`. It keeps the last row, so that reading on reads nothing twice.

    Memory: one piece, and some 16 bytes for each element.
    """

    traces: Traces
    steps: Steps
    quantity: str
    standard: Standard = field(default_factory=dict)
    _raw: dict[str, Array] = field(default_factory=dict)
    _number: dict[str, Singles] = field(default_factory=dict)
    _row: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    _since: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    _read: int = -1

    def stretches(self, low: int, high: int, names: list[str] | None = None) -> Iterator[Stretch]:
        """Everything at the recorded steps from number `low` up to, and without, `high`."""
        start = low if self._read == low else max(0, low - (2 if self.quantity == UPDATE else 1))
        for first in range(start, high, ROWS):
            last = min(first + ROWS, high)
            window = Window(int(self.steps[first]), int(self.steps[last - 1]) + 1)
            for piece in self.traces.passes(window, names):
                row = int(np.searchsorted(self.steps, piece.steps[0]))
                found = self._stretch(piece.tensor, piece.first, row, piece.values)
                if (late := low - found.row) > 0:
                    found = Stretch(found.tensor, found.first, low, found.numbers[late:])
                if len(found.numbers) > 1:
                    yield found
        self._read = high

    def _stretch(self, tensor: Tensor, first: int, row: int, values: Array) -> Stretch:
        """A piece of the store's as numbers, with those of the row before; keeps its last row."""
        lanes = slice(first, first + values.shape[1])
        if len(self._row.get(tensor.name, ())) != tensor.size:  # new, or of another shape from here on
            self._row[tensor.name] = np.full(tensor.size, -9, np.int32)
            self._since[tensor.name] = np.zeros(tensor.size, np.int32)
            self._number[tensor.name] = np.full(tensor.size, np.nan, np.float32)
            self._raw[tensor.name] = np.zeros(tensor.size if self.quantity == UPDATE else 0, values.dtype)
        led = int(self._row[tensor.name][first]) == row - 1
        numbers, begin = self._numbers(tensor.name, lanes, values, led), row
        if not led:
            begin += self.quantity == UPDATE
            self._since[tensor.name][lanes] = begin
        led = int(self._since[tensor.name][first]) < begin
        before = self._number[tensor.name][lanes] if led else np.full(values.shape[1], np.nan, np.float32)
        whole = np.concatenate([before[None], numbers])
        self._row[tensor.name][lanes] = row + len(values) - 1
        self._number[tensor.name][lanes] = whole[-1]
        return Stretch(tensor, first, begin, whole, led)

    def _numbers(self, name: str, lanes: slice, values: Array, led: bool) -> Singles:
        with np.errstate(over="ignore", invalid="ignore"):
            if self.quantity == VALUE:
                return values.astype(np.float32)
            if self.quantity == Z:
                mean, scale = (array[lanes] for array in self.standard[name])
                return ((values.astype(np.float64) - mean) * scale).astype(np.float32)
            joined = np.concatenate([self._raw[name][None, lanes], values]) if led else values
            self._raw[name][lanes] = values[-1]
            return np.diff(joined.astype(np.float64), axis=0).astype(np.float32)
