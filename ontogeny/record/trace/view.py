"""A lazy, NumPy-like view of one tensor over time: nothing is read until it is indexed.

The axes are those of the tensor, and time last: `view[3, 7, 100:200]` is the element [3, 7] at the recorded rows 100 to
199. Basic indexing only: integers, slices, and an ellipsis.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.traces import Array, Steps, Traces, Window, named

Index = int | slice


class Trajectory:
    """The view of one tensor: `shape` is the tensor's with the number of recorded rows behind it."""

    def __init__(self, traces: Traces, name: str) -> None:
        self._traces = traces
        self.tensor = named(traces, name)

    @property
    def name(self) -> str:
        """The tensor's name."""
        return self.tensor.name

    @property
    def steps(self) -> Steps:
        """The recorded steps: the coordinates of the last axis."""
        return self._traces.steps

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape, and how many rows are recorded."""
        return (*self.tensor.shape, len(self._traces.steps))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Array:
        *inner, outer = self._full(index)
        steps = self.steps
        rows = np.arange(len(steps))[outer]
        flat = np.arange(self.tensor.size).reshape(self.tensor.shape)[tuple(inner)]
        span = np.atleast_1d(rows)
        if not span.size:
            values = np.empty((0, flat.size), self._read(flat, slice(0, 1)).dtype)
        else:
            low = int(span.min())
            values = self._read(flat, slice(low, int(span.max()) + 1))[span - low]
        if np.ndim(rows) == 0:
            return values.reshape(flat.shape)
        return np.moveaxis(values.reshape(*np.shape(rows), *flat.shape), 0, -1)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("a trajectory is read anew each time, so it is always a copy")
        return np.asarray(self[...], dtype)

    def xarray(self) -> Any:
        """The whole as an xarray.DataArray with the steps as coordinates. Needs xarray."""
        try:
            xarray: Any = import_module("xarray")
        except ImportError as error:
            raise RecordError("this needs xarray: pip install 'ontogeny[xarray]'") from error
        axes = [f"axis_{place}" for place in range(len(self.tensor.shape))]
        return xarray.DataArray(self[...], dims=[*axes, "step"], coords={"step": self.steps}, name=self.name)

    def __repr__(self) -> str:
        return f"Trajectory({self.name!r}, {self.tensor.dtype}{list(self.tensor.shape)}, {self.shape[-1]} steps)"

    def _read(self, flat: Array, rows: slice) -> Array:
        steps = self.steps
        window = Window(int(steps[rows.start]), int(steps[rows.stop - 1]) + 1)
        found, values = self._traces.lines(self.name, flat.reshape(-1), window)
        if len(found) != rows.stop - rows.start:
            first = found[0] if len(found) else "none"
            raise RecordError(f"{self.name} is not recorded in all of {window}; its first step there is {first}")
        return values

    def _full(self, index: Any) -> list[Index]:
        """One index for each axis."""
        parts = list(index) if isinstance(index, tuple) else [index]
        if bad := [p for p in parts if not (p is Ellipsis or isinstance(p, int | np.integer | slice))]:
            raise RecordError(f"a trajectory is indexed by integers, slices and an ellipsis, not by {bad[0]!r}")
        if len([p for p in parts if p is not Ellipsis]) > self.ndim or parts.count(Ellipsis) > 1:
            raise RecordError(f"{self!r} has {self.ndim} axes (time is the last); {len(parts)} were indexed")
        at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
        missing: list[Index] = [slice(None)] * (self.ndim - len([p for p in parts if p is not Ellipsis]))
        return [*parts[:at], *missing, *parts[at + 1 :]]
