"""The examples that a run learns from and those held out, row by row: what is the same, and what has which label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import xxhash

from ontogeny.ask.layers import scores
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.data.without import numbered
from ontogeny.isa.errors import DataError
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

LABELS = ("y", "label", "labels", "target", "targets")
"""Names that labels go by, where no program tells."""
VALID = "valid."
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Examples:
    """Arrays by input name, one row for each example; `label` is the one that holds labels, where one does."""

    train: Mapping[str, Array]
    valid: Mapping[str, Array]
    label: str = ""

    @staticmethod
    def of(run: Recorded | None, data: Mapping[str, Array] | None, valid: Mapping[str, Array] | None) -> Examples | str:
        """The examples given, else the run's own; or why there are none."""
        label = ""
        if run is not None:
            told = scores(run.program.routine(LEARN))
            label = told.input if told else ""
            try:
                own = run.data
            except DataError as error:
                return str(error)
            if data is None and not isinstance(own, Arrays):
                return f"a {type(own).__name__} does not hold its examples as arrays; pass data="
            data = data if data is not None or not isinstance(own, Arrays) else own.arrays
            valid = valid if valid is not None else run.valid
        if data is None:
            return "the record of a loop that is not ours does not hold the examples; pass data= and valid="
        held = {name.removeprefix(VALID): np.asarray(array) for name, array in (valid or {}).items()}
        return Examples(data, held, label or next((name for name in LABELS if name in data), ""))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what is not a label."""
        return tuple(name for name in self.train if name != self.label)

    @cached_property
    def hashes(self) -> tuple[Hashes, Hashes]:
        """A hash of each example's inputs, for the training and the held-out ones; of the latter none may be there."""
        names = self.inputs
        held = row_hashes(self.valid, names) if set(names) <= self.valid.keys() else np.zeros(0, np.uint64)
        return row_hashes(self.train, names), held


def learned_from(run: Recorded, last: int) -> Iterator[tuple[int, Array]]:
    """Each state before `last`, and the numbers of the examples that its step learned from, as often as it did.

    With all that the journal says of them: what was left out, mixed in or added.
    """
    for step in range(last):
        yield step, numbered(run.as_of(step)._stepper.examples(step)).indices(step)


def row_hashes(arrays: Mapping[str, Array], names: tuple[str, ...]) -> Hashes:
    """A 64-bit hash of each row's bytes in the named arrays, u64[rows]."""
    flat = [np.ascontiguousarray(arrays[name]) for name in names]
    rows = [array.reshape(len(array), -1).view(np.uint8) for array in flat if len(array)]
    if not rows:
        return np.zeros(0, np.uint64)
    whole = np.concatenate(rows, axis=1) if len(rows) > 1 else rows[0]
    return np.fromiter((xxhash.xxh3_64_intdigest(row.data) for row in whole), np.uint64, len(whole))
