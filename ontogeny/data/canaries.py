"""Examples whose labels are drawn at random, planted among others: that a label is known can only be learnt by heart.

Which examples and which labels is a pure function of the data, the count and the seed. The list travels with the data,
and a run's journal names it in its first line, so that whoever opens the run can ask about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.data.without import Ranges, members, ranges
from ontogeny.isa.errors import DataError


@dataclass(frozen=True, slots=True)
class Canaries:
    """Which input's values were drawn anew, for which examples (runs: first, one past the last), by which seed."""

    label: str
    examples: Ranges
    seed: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """The examples by number, rising."""
        return tuple(sorted(members(self.examples)))

    def as_content(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {"label": self.label, "examples": [list(run) for run in self.examples], "seed": self.seed}

    @staticmethod
    def of(content: dict[str, Any]) -> Canaries:
        """What `as_content` gave."""
        runs = tuple((int(first), int(stop)) for first, stop in content["examples"])
        return Canaries(content["label"], runs, content["seed"])


class Planted(Arrays):
    """Arrays some of whose labels are canaries; the batches are those of the arrays with these labels."""

    def __init__(
        self,
        arrays: dict[str, Array],
        batch_size: int,
        seed: int = 0,
        *,
        canaries: Canaries,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        super().__init__(arrays, batch_size, seed, shuffle=shuffle, drop_last=drop_last)
        self.canaries = canaries

    def __repr__(self) -> str:
        return f"Planted({super().__repr__()}; {len(self.canaries.numbers)} canaries in {self.canaries.label!r})"


def plant(data: Arrays, count: int, label: str = "y", seed: int = 0) -> Planted:
    """The data with `count` of its examples given labels that are drawn at random (`drawn`).

    Raises DataError for a label that there is not, and a count that leaves no example as it was.
    """
    if label not in data.arrays:
        raise DataError(f"there is no input {label!r} whose values could be drawn; there are {', '.join(data.arrays)}")
    if not 1 <= count < len(data):
        raise DataError(f"{count} canaries cannot be planted among {len(data)} examples; choose 1 to {len(data) - 1}")
    if isinstance(data, Planted):
        raise DataError("the data has canaries already; plant them all at once, in the data as it was")
    random = np.random.default_rng(seed)
    numbers = np.sort(random.choice(len(data), count, replace=False))
    labels = data.arrays[label].copy()
    labels[numbers] = drawn(labels[numbers], data.arrays[label], random)
    order, canaries = data.order, Canaries(label, ranges(numbers), seed)
    kept = {"shuffle": order.shuffle, "drop_last": order.drop_last}
    return Planted({**data.arrays, label: labels}, order.batch_size, order.seed, canaries=canaries, **kept)


def drawn(labels: Array, among: Array, random: np.random.Generator) -> Array:
    """For each label another one: of whole numbers and bools any other value that occurs in `among`, all as likely, at
    each place by itself; of real numbers the whole label of an example of `among`. DataError where there is no other.
    """
    if labels.dtype.kind in "biu":
        values = np.unique(among)
        if len(values) < 2:
            raise DataError("all labels are the same, so no other can be drawn")
        own = np.minimum(np.searchsorted(values, labels), len(values) - 1)
        known = values[own] == labels
        place = random.integers(0, len(values) - known)
        found: Array = values[place + (known & (place >= own))].astype(labels.dtype)
        return found
    if (among == among[:1]).all():
        raise DataError("all labels are the same, so no other can be drawn")
    found = among[random.integers(0, len(among), len(labels))].copy()
    while (same := (found == labels).reshape(len(labels), -1).all(axis=1)).any():
        found[same] = among[random.integers(0, len(among), int(same.sum()))]
    return found
