"""What a law is fitted to: one point a run, as columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import LawError

Floats = npt.NDArray[np.float64]
SAME = 0.01
"""Values that differ by less than this share count as one: 1,000,000 and 1,000,512 parameters are one size."""
AXES = ("parameters", "tokens", "unique")


@dataclass(frozen=True, eq=False)
class Points:
    """Columns of n numbers: parameters, tokens seen, distinct tokens among them, loss, weight decay (NaN: not known).

    Tokens may be examples: what is counted is the caller's, as long as it is the same of all points. Raises LawError
    for columns of unequal length, and for what is not positive or finite, by the point's name.
    """

    parameters: Floats
    tokens: Floats
    unique: Floats
    loss: Floats
    decay: Floats
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in (*AXES, "loss", "decay")}
        if len({len(column) for column in (*columns.values(), self.names or self.loss)}) > 1:
            raise LawError(f"the columns are not of one length: { ({n: len(c) for n, c in columns.items()}) }")
        for name in (*AXES, "loss"):
            wrong = ~(np.isfinite(columns[name]) & (columns[name] > 0))
            if wrong.any():
                at = int(wrong.argmax())
                raise LawError(
                    f"{name} of {self.called(at)} is {columns[name][at]:g}; a law needs it above 0 and finite"
                )
        if (self.decay < 0).any():
            at = int((self.decay < 0).argmax())
            raise LawError(f"weight decay of {self.called(at)} is {self.decay[at]:g}; it needs 0 or more")
        over = self.unique > self.tokens * (1 + SAME)
        if over.any():
            at = int(over.argmax())
            raise LawError(
                f"{self.called(at)} has {self.unique[at]:,.0f} distinct tokens but saw only {self.tokens[at]:,.0f}; "
                f"unique counts those that were seen"
            )

    def __len__(self) -> int:
        return len(self.loss)

    def called(self, place: int) -> str:
        """A point by name, or by its number."""
        return self.names[place] if self.names else f"point {place + 1}"

    def log(self, axis: str) -> Floats:
        """The natural logarithm of a column."""
        found: Floats = np.log(getattr(self, axis))
        return found

    @property
    def epochs(self) -> Floats:
        """How often each distinct token was seen, on average."""
        return self.tokens / self.unique

    def take(self, places: Sequence[int] | npt.NDArray[np.int64]) -> Points:
        """Some of the points, in that order."""
        chosen = np.asarray(places, np.int64)
        columns = {name: getattr(self, name)[chosen] for name in (*AXES, "loss", "decay")}
        return Points(**columns, names=tuple(self.names[place] for place in chosen) if self.names else ())

    def without_highest(self, count: int) -> Points:
        """All but those of the highest losses, which early in training follow no law. LawError where none is left."""
        if not 0 <= count < len(self):
            raise LawError(f"{count} of {len(self)} points cannot be left out; give 0 to {len(self) - 1}")
        return self.take(np.sort(np.argsort(self.loss, kind="stable")[: len(self) - count]))

    def best_of_each(self) -> Points:
        """Of the points of one size and data only that of the least loss."""
        cells = np.stack([groups(getattr(self, axis)) for axis in AXES], axis=1)
        order = np.argsort(self.loss, kind="stable")
        _, first = np.unique(cells[order], axis=0, return_index=True)
        return self.take(np.sort(order[first]))

    def levels(self, axis: str) -> int:
        """How many values of a column there are that are told apart."""
        return int(groups(getattr(self, axis)).max(initial=-1)) + 1

    def range(self, axis: str) -> tuple[float, float]:
        """Least and most of a column."""
        column = getattr(self, axis)
        return float(column.min()), float(column.max())


def points(
    parameters: object,
    tokens: object,
    loss: object = 1.0,
    *,
    unique: object = None,
    epochs: object = None,
    decay: object = np.nan,
    names: Sequence[str] = (),
) -> Points:
    """Points of columns or single numbers, which stand for all. Without `unique` or `epochs` no token is seen twice.

    What is seen for part of an epoch is all distinct: `epochs` below 1 count as 1.
    """
    seen = np.asarray(tokens, np.float64)
    if unique is None:
        unique = seen / np.maximum(np.asarray(1.0 if epochs is None else epochs, np.float64), 1.0)
    elif epochs is not None:
        raise LawError("give either unique tokens or epochs, not both")
    given = (parameters, seen, unique, loss, decay)
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(one, np.float64)) for one in given))
    own = {name: column.copy() for name, column in zip((*AXES, "loss", "decay"), columns, strict=True)}
    return Points(**own, names=tuple(names))


def groups(column: Floats) -> npt.NDArray[np.int64]:
    """The number of each value's level: what is more than `SAME` above the least of a level begins the next one up."""
    found, level, least = np.zeros(len(column), np.int64), -1, -np.inf
    for place in np.argsort(column, kind="stable"):
        if level < 0 or column[place] > least * (1 + SAME):
            level, least = level + 1, column[place]
        found[place] = level
    return found
