"""A whole run, or a window of it, as an xarray.Dataset in memory: a variable for each tensor, with the steps before."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import numpy as np

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.traces import ALL, Traces, Window, chosen


def dataset(traces: Traces, window: Window = ALL, names: Iterable[str] | None = None) -> Any:
    """The tensors `names` (or patterns) as an xarray.Dataset: variables [step, NAME_0, NAME_1...] with `step` as index.

    All of it is read; for what memory does not hold, write a Zarr group and let xarray open that. Raises RecordError
    without xarray, and for a tensor that is not recorded at every step of the window.
    """
    try:
        xarray: Any = import_module("xarray")
    except ImportError as error:
        raise RecordError("this needs xarray: pip install 'ontogeny[xarray]'") from error
    steps = np.asarray(traces.steps)[window.of(np.asarray(traces.steps))]
    found: dict[str, Any] = {}
    for name in chosen(traces, names):
        tensor = traces.tensors[name]
        own, values = traces.lines(name, np.arange(tensor.size), window)
        if len(own) != len(steps):
            raise RecordError(
                f"{name} is recorded at {len(own)} of {len(steps)} steps of {window}; choose another window"
            )
        axes = ["step", *(f"{name}_{axis}" for axis in range(len(tensor.shape)))]
        found[name] = (axes, values.reshape(len(steps), *tensor.shape))
    return xarray.Dataset(found, coords={"step": steps})
