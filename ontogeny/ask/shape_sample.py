"""The sample of an index: the same elements of a model whatever the window, with their values.

Shared modes and the leaders of groups come from it, exactly, so that they are the same however an index came about:
built at once, or step by step as the run went on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ontogeny.ask.series import Floats, Span, shapes, total, without
from ontogeny.record.trace.layout import Layout, Tensor
from ontogeny.record.trace.traces import Array

DRAWN = 32768
"""Elements that are drawn; some of them have no shape."""
SAMPLE = 16384
"""Elements that are taken at most."""
Numbers = npt.NDArray[np.int64]
Heads = npt.NDArray[np.float32]


def drawn(elements: int) -> Numbers:
    """The numbers of the elements that are the sample of a model with so many: evenly drawn, in the order drawn."""
    rng = np.random.default_rng(0)
    return rng.permutation(elements) if elements <= DRAWN else rng.choice(elements, DRAWN, replace=False)


class Values:
    """The values of a sample, gathered piece by piece: [states, elements]; NaN of those that are not there."""

    def __init__(self, states: int, elements: int, tensors: Mapping[str, Tensor]) -> None:
        numbers = drawn(elements)
        self._order = np.argsort(numbers)
        self._numbers = numbers[self._order]
        exact = all(np.can_cast(bank.numpy, np.float32) for bank in Layout(tuple(tensors.values())).banks)
        self.found: Array = np.full((states, len(numbers)), np.nan, np.float32 if exact else np.float64)

    def take(self, first: int, values: Array) -> None:
        """Takes what belongs to the sample of values [states, n] of the elements from number `first`."""
        low, high = np.searchsorted(self._numbers, (first, first + values.shape[1]))
        self.found[:, self._order[low:high]] = values[:, self._numbers[low:high] - first]


def series(values: Array, span: Span, removed: Floats, most: int = SAMPLE) -> tuple[Numbers, Floats]:
    """The first `most` of a sample that have a shape: places in the sample, and centred series [length, n]."""
    places, parts = [np.empty(0, np.int64)], [np.empty((span.length, 0))]
    for first in range(0, values.shape[1], 4096):
        if sum(map(len, places)) < most:
            found = without(shapes(span.series(values[:, first : first + 4096]))[0], removed)
            shaped = np.flatnonzero(total(found * found) > 0)
            places.append(first + shaped)
            parts.append(found[:, shaped])
    return np.concatenate(places)[:most], np.concatenate(parts, axis=1)[:, :most]


def units(centred: Floats) -> Heads:
    """Unit vectors [n, length] of centred series [length, n]."""
    found: Heads = (centred / np.sqrt(total(centred * centred))).T.astype(np.float32)
    return found


def directions(sample: Heads, length: int) -> tuple[Floats, Floats]:
    """Shares of the sample's energy, falling, and the directions [length, n] that hold them (principal components)."""
    gram = np.zeros((length, length)) if not len(sample) else (sample.T @ sample).astype(np.float64)
    energy, found = np.linalg.eigh(gram)
    energy = np.maximum(energy[::-1], 0.0)
    share: Floats = energy / max(float(energy.sum()), np.finfo(np.float64).tiny)
    return share, np.ascontiguousarray(found[:, ::-1])
