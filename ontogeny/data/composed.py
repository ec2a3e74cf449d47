"""Data whose batches are composed anew: some rows are drawn from groups of examples, and more rows follow.

The rows that are neither are what they were, at the same step and in the same place. Groups that are mixed in have the
first rows of a batch, one group after the other; those that are learned also have the rows behind the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.data.base import Array, combined_hash
from ontogeny.data.epochs import Epochs
from ontogeny.data.pool import Pool
from ontogeny.data.without import Ranges, numbered
from ontogeny.isa.errors import DataError


@dataclass(frozen=True, slots=True)
class Also:
    """From state `at` on, so many further rows of a group in every batch."""

    examples: Ranges
    rows: int
    at: int


@dataclass(frozen=True, slots=True)
class Mix:
    """From state `at` on, that share of every batch's own rows from a group."""

    examples: Ranges
    share: float
    at: int


class Composed:
    """`pool.data` with groups mixed in, and groups learned also. `seed` is what the groups' orders go by."""

    def __init__(self, pool: Pool, seed: int, mixed: Sequence[Mix] = (), also: Sequence[Also] = ()) -> None:
        self.pool = pool
        self.data = numbered(pool.data)
        self.mixed, self.also, self._seed = tuple(mixed), tuple(also), seed
        self._whole = len(self.data.indices(0))
        self._epochs = {one: Epochs(one.examples, seed, one.at) for one in groups(mixed, also)}

    def __repr__(self) -> str:
        return f"Composed({self.data!r}, {', '.join(map(repr, groups(self.mixed, self.also)))})"

    @property
    def fingerprint(self) -> str:
        """A hash of the data's own and of the groups; of added examples their numbers count, not their values."""
        mixed = [[one.examples, one.share, one.at] for one in self.mixed]
        also = [[one.examples, one.rows, one.at] for one in self.also]
        return combined_hash("composed", self.data.fingerprint, self._seed, mixed, also)

    def indices(self, step: int) -> Array:
        """The numbers of the examples of a step: mixed in, the data's own, and learned also."""
        own = np.array(self.data.indices(step))
        for first, numbers in self._mixed(step, len(own)):
            own[first : first + len(numbers)] = numbers
        return np.concatenate([own, *self._also(step)])

    def batch(self, step: int) -> dict[str, Array]:
        """The examples of a step. DataError where rows are not examples, or examples are not alike."""
        whole, count = dict(self.data.batch(step)), len(self.data.indices(step))
        if odd := [name for name, array in whole.items() if array.shape[:1] != (count,)]:
            raise DataError(f"{odd[0]!r} has not one row for each example of a batch, so none can be put into it")
        for first, numbers in self._mixed(step, count):
            for name, rows in self._alike(whole, numbers).items():
                whole[name] = np.concatenate([whole[name][:first], rows, whole[name][first + len(rows) :]])
        more = np.concatenate([np.zeros(0, np.int64), *self._also(step)])
        if not len(more):
            return whole
        return {name: np.concatenate([whole[name], rows]) for name, rows in self._alike(whole, more).items()}

    def _mixed(self, step: int, count: int) -> Iterator[tuple[int, Array]]:
        """The first row and the numbers of each group's rows in a batch of `count` rows of the data's own."""
        first, reserved, share = 0, 0, 0.0
        for one in self.mixed:
            share = min(1.0, share + one.share)
            each = round(share * self._whole) - reserved  # so many places of its sequence are a step's
            rows = min(each, round(share * count) - first)
            if rows > 0:
                yield first, self._epochs[one].take((step - one.at) * each, rows)
            first, reserved = first + max(0, rows), reserved + each

    def _also(self, step: int) -> Iterator[Array]:
        for one in self.also:
            yield self._epochs[one].take((step - one.at) * one.rows, one.rows)

    def _alike(self, whole: dict[str, Array], numbers: Array) -> dict[str, Array]:
        """Examples by number, of the formats and shapes of the batch that they go into."""
        found = self.pool.examples(numbers)
        for name, array in whole.items():
            if name not in found or (found[name].dtype, found[name].shape[1:]) != (array.dtype, array.shape[1:]):
                raise DataError(f"{name!r} of example {int(numbers[0])} is not of the format and shape of the batch's")
        return {name: found[name] for name in whole}


def groups(mixed: Sequence[Mix], also: Sequence[Also]) -> tuple[Mix | Also, ...]:
    """All groups that are drawn from."""
    return (*mixed, *also)
