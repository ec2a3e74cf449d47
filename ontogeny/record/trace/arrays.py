"""Trajectories that lie in memory as arrays: the same questions for what was never recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Array, Piece, Steps, Window, chosen, named


class ArrayTraces:
    """Arrays by name, each [steps, ...], as a `Traces`. Row i is the state at step `first + i`."""

    def __init__(self, arrays: Mapping[str, npt.ArrayLike], first: int = 0) -> None:
        self._arrays = {name: np.asarray(array) for name, array in arrays.items()}
        lengths = {len(array) for array in self._arrays.values()}
        if len(lengths) != 1:
            raise RecordError(f"the arrays have {sorted(lengths)} steps; all must have the same number, along axis 0")
        self.steps: Steps = np.arange(first, first + lengths.pop())

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors, by name, in the order given."""
        layout = Layout.of({name: array[0] for name, array in self._arrays.items()})
        return {tensor.name: tensor for tensor in layout.tensors}

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, tensor by tensor."""
        rows = window.of(self.steps)
        for name in chosen(self, names):
            flat = self._flat(name)
            width = max(1, piece_bytes // max(1, (rows.stop - rows.start) * flat.itemsize))
            for first in range(0, flat.shape[1], width):
                yield Piece(self.tensors[name], first, self.steps[rows], flat[rows, first : first + width])

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, step by step."""
        rows = window.of(self.steps)
        for at in range(rows.start, rows.stop):
            yield from self.pieces(Window(int(self.steps[at]), int(self.steps[at]) + 1), names, piece_bytes)

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """Single elements over a window: steps, and values [steps, places]."""
        named(self, name)
        rows = window.of(self.steps)
        return self.steps[rows], self._flat(name)[rows][:, np.atleast_1d(np.asarray(places, np.int64))]

    def row(self, step: int) -> dict[str, Array]:
        """All tensors at one step."""
        at = int(np.searchsorted(self.steps, step))
        if at >= len(self.steps) or self.steps[at] != step:
            raise RecordError(f"there is no step {step}; there are {self.steps[0]} to {self.steps[-1]}")
        return {name: array[at] for name, array in self._arrays.items()}

    def _flat(self, name: str) -> Array:
        array = self._arrays[name]
        return array.reshape(len(array), -1)
