"""Data without some of its examples: the same batches at the same steps, minus those rows.

Of the things that "without example 17" may mean, this is the one that changes nothing else. Data shuffled anew without
it would have another order, so that every later batch would differ; filling its place would give others a turn more.
Here every other example is learned from exactly when it was before, and a batch that held it is one smaller, so that a
loss that is a mean is the mean of the rest. What is drawn by place (dropout) goes by the place in the smaller batch.
A batch of which nothing is left is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ontogeny.data.base import Array, Data, combined_hash
from ontogeny.isa.errors import DataError

Ranges = tuple[tuple[int, int], ...]


@runtime_checkable
class Numbered(Data, Protocol):
    """Data that says which examples, by number, a step learns from: the rows of its batch in order."""

    def indices(self, step: int) -> Array:
        """The numbers of the examples of a step, i64[batch size]."""


class Without:
    """`data` whose batches have the rows of some examples left out. Raises DataError for data without numbers."""

    def __init__(self, data: Data, examples: Iterable[int]) -> None:
        self.data = numbered(data)
        self.examples = np.unique(np.fromiter(examples, np.int64))

    def __repr__(self) -> str:
        return f"Without({self.data!r}, {written(ranges(self.examples))})"

    @property
    def fingerprint(self) -> str:
        """A hash of the data's own and of the examples left out."""
        return combined_hash("without", self.data.fingerprint, ranges(self.examples))

    def indices(self, step: int) -> Array:
        """The numbers of the examples that are left in a step's batch, in their order."""
        return self.data.indices(step)[self.kept(step)]

    def kept(self, step: int) -> npt.NDArray[np.bool_]:
        """Which rows of the whole batch are left."""
        return ~np.isin(self.data.indices(step), self.examples)

    def batch(self, step: int) -> dict[str, Array]:
        """The rows that are left of a step's batch. DataError where none is, or where rows are not examples."""
        kept, whole = self.kept(step), self.data.batch(step)
        if odd := [name for name, array in whole.items() if array.shape[:1] != kept.shape]:
            raise DataError(f"{odd[0]!r} has not one row for each example of a batch, so none can be left out of it")
        if not kept.any():
            raise DataError(f"step {step} learns from nothing but examples that are left out; keep one of them")
        return whole if kept.all() else {name: array[kept] for name, array in whole.items()}


def numbered(data: Data) -> Numbered:
    """The data as it is. Raises DataError where it does not tell its examples apart by number."""
    if not isinstance(data, Numbered):
        raise DataError(
            f"a {type(data).__name__} does not say which examples a batch holds, so none can be left out; Arrays and "
            "Mapped do, or give it a method indices(step)"
        )
    return data


def ranges(examples: Iterable[int]) -> Ranges:
    """The numbers as rising runs (first, one past the last)."""
    found = np.unique(np.fromiter(examples, np.int64))
    if not len(found):
        return ()
    runs = np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)
    return tuple((int(run[0]), int(run[-1]) + 1) for run in runs)


def members(runs: Iterable[Sequence[int]]) -> frozenset[int]:
    """The numbers in runs (first, one past the last)."""
    return frozenset(number for first, stop in runs for number in range(first, stop))


def written(runs: Ranges) -> str:
    """Runs as a person writes them: 3,17,40:60."""
    return ",".join(str(first) if stop == first + 1 else f"{first}:{stop}" for first, stop in runs)


def parsed(text: str, count: int) -> frozenset[int]:
    """The examples that `3,17,40:60` names (60 is not one of them), of so many. DataError for anything else."""
    runs = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?::(\d+))?\s*", part)
        if not match:
            raise DataError(f"{part.strip()!r} names no example; write numbers and stretches, such as 3,17,40:60")
        first = int(match[1])
        stop = int(match[2]) if match[2] else first + 1
        if not first < stop <= count:
            raise DataError(f"{part.strip()!r} names no example; the data has the numbers 0 to {count - 1}")
        runs.append((first, stop))
    return members(runs)
