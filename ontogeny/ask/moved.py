"""How recorded values move, where there is no program: since when tensors stand still, and samples of all updates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.data.base import Array
from ontogeny.record.trace.traces import Traces, Window

SAMPLE = 256
"""Elements of each tensor that stand for it."""
MOST_STEPS = 4096
"""The last so many steps, where there are more."""
Floats = npt.NDArray[np.float64]


@dataclass
class Moved:
    """The recorded values at the states of a window; `steps` is its fine grid."""

    traces: Traces
    steps: tuple[int, ...]

    @cached_property
    def recorded(self) -> tuple[int, ...]:
        """Every recorded step of the window."""
        steps = np.asarray(self.traces.steps)
        return tuple(int(step) for step in steps[(steps >= self.steps[0]) & (steps <= self.steps[-1])])

    def still_since(self) -> dict[str, int]:
        """For every tensor the step since which it is, to the last bit, what it is at the end; by halving."""
        last = self.traces.row(self.recorded[-1])
        return {name: self._since(name, value) for name, value in last.items()}

    def _since(self, name: str, value: Array) -> int:
        low, high = -1, len(self.recorded) - 1
        if high and not self._same(name, value, high - 1):
            return self.recorded[high]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._same(name, value, middle) else (middle, high)
        return self.recorded[high]

    def _same(self, name: str, value: Array, place: int) -> bool:
        there = self._row(self.recorded[place])[name]
        return there.shape == value.shape and there.tobytes() == value.tobytes()

    def _row(self, step: int) -> dict[str, Array]:
        if self._kept is None or self._kept[0] != step:
            self._kept = step, self.traces.row(step)
        return self._kept[1]

    _kept: tuple[int, dict[str, Array]] | None = None

    def sizes(self, name: str) -> tuple[tuple[int, ...], list[float]]:
        """The root mean square of a tensor at the states of the grid."""
        return self.steps, [float(np.sqrt(np.mean(np.square(wide(self._row(step)[name]))))) for step in self.steps]

    def updates(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """The steps of updates, and these, of a sample of elements: f64 [steps, elements]."""
        chosen = self.recorded[-MOST_STEPS:]
        window, columns = Window(chosen[0], chosen[-1] + 1), []
        for name, tensor in self.traces.tensors.items():
            places = np.unique(np.linspace(0, max(0, tensor.size - 1), SAMPLE).astype(np.int64))
            columns.append(wide(self.traces.lines(name, places, window)[1]))
        with np.errstate(all="ignore"):
            return np.array(chosen[1:]), np.diff(np.concatenate(columns, axis=1), axis=0)
