"""Which examples a phrase means: by number (3,17,40:60), or all whose value is one (y=3). And new ones, written out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.data.store import load_tensors
from ontogeny.data.without import ranges, written
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.recorded import Recorded

VALUE = re.compile(r"\s*([\w.]+)\s*(?:==?|is)\s*(-?(?:\d+\.?\d*|\.\d+))\s*")
MOST = 1 << 20
"""Numbers that examples written out may hold."""


def numbers(run: Recorded, text: str) -> str:
    """Examples in words as numbers in words. Raises OntogenyError where none is meant."""
    match = VALUE.fullmatch(text)
    if match is None:
        return text
    data = run.data
    if not isinstance(data, Arrays) or match[1] not in data.arrays:
        there = ", ".join(data.arrays) if isinstance(data, Arrays) else "none that can be asked by value"
        raise OntogenyError(f"no example has a value called {match[1]!r}; there are {there}")
    values = data.arrays[match[1]]
    if values.ndim != 1:
        raise OntogenyError(f"{match[1]!r} is {list(values.shape[1:])} for each example; name examples by number")
    found = np.flatnonzero(values == float(match[2]))
    if not len(found):
        raise OntogenyError(f"no example has {match[1]} = {match[2]}")
    return written(ranges(found))


def written_out(run: Recorded, values: Mapping[str, Any]) -> dict[str, Array]:
    """New examples from plain numbers, by input name, in the formats of the run's own batches.

    A value for each example, or the values of one example. Raises OntogenyError for what does not fit.
    """
    batch = run.data.batch(0)
    if set(values) != set(batch):
        raise OntogenyError(f"an example has {', '.join(batch)}; {', '.join(values) or 'nothing'} was given")
    try:
        arrays = {name: np.array(value, batch[name].dtype) for name, value in values.items()}
    except (ValueError, TypeError) as error:
        raise OntogenyError(f"these are no numbers that an example could hold: {error}") from error
    if sum(array.size for array in arrays.values()) > MOST:
        raise OntogenyError(f"more than {MOST} numbers were written out; give a file in their place")
    ones = all(array.ndim == batch[name].ndim - 1 for name, array in arrays.items())
    return {name: array[None] for name, array in arrays.items()} if ones else arrays


def of_file(path: str) -> dict[str, Array]:
    """New examples from a safetensors file, whose arrays are called like the run's inputs."""
    if not Path(path).is_file():
        raise OntogenyError(f"there is no file {path}")
    try:
        found: dict[str, Array] = load_tensors(Path(path), [])
    except (SafetensorError, OSError, ValueError) as error:
        raise OntogenyError(f"{path} is no safetensors file that can be read: {error}") from error
    return found
