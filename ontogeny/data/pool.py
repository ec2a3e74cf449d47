"""Examples by number, wherever they lie: those of the data, and behind them those that were added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from typing import Protocol, runtime_checkable

import numpy as np

from ontogeny.data.base import Array, Data
from ontogeny.isa.errors import DataError


@runtime_checkable
class ByNumber(Data, Protocol):
    """Data that gives any examples that are asked for, not only those of a step."""

    def examples(self, numbers: Array) -> dict[str, Array]:
        """The examples of these numbers in their order, one array per name, as `batch` has them."""


class Pool:
    """The examples of `data`, and `added` ones: by the number of the first, what gives their arrays when needed."""

    def __init__(self, data: Data, added: Mapping[int, Callable[[], Mapping[str, Array]]]) -> None:
        self.data = data
        self._firsts = np.array(sorted(added), np.int64)
        self._added = [added[int(first)] for first in self._firsts]

    def examples(self, numbers: Array) -> dict[str, Array]:
        """The examples of these numbers, in their order. DataError for a number that there is not."""
        home = np.searchsorted(self._firsts, numbers, side="right") - 1
        parts = [(np.flatnonzero(home == at), self._some(int(at), numbers[home == at])) for at in np.unique(home)]
        found: dict[str, Array] = {}
        for name, array in parts[0][1].items():
            found[name] = np.empty((len(numbers), *array.shape[1:]), array.dtype)
            for rows, some in parts:
                found[name][rows] = some[name]
        return found

    def _some(self, at: int, numbers: Array) -> dict[str, Array]:
        """Examples of one home: the data itself (-1), or what was added."""
        if at < 0:
            return by_number(self.data, int(numbers.max())).examples(numbers)
        arrays, places = self._added[at](), numbers - self._firsts[at]
        if places.max() >= len(next(iter(arrays.values()))):
            raise DataError(f"there is no example {int(numbers.max())}; it was added by an entry that is not there")
        return {name: array[places] for name, array in arrays.items()}


def by_number(data: Data, number: int = 0) -> ByNumber:
    """The data as it is. DataError where it does not give examples by number, or has none of that number."""
    if not isinstance(data, ByNumber):
        raise DataError(
            f"a {type(data).__name__} does not give examples by number, so no more can be had of these; Arrays and "
            "Mapped do, or give it a method examples(numbers)"
        )
    if isinstance(data, Sized) and number >= len(data):
        raise DataError(f"there is no example {number}; the data has the numbers 0 to {len(data) - 1}")
    return data
