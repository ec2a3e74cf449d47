"""The tape: a learner as instructions over typed banks of scalars, vectors and matrices, as AutoML-Zero has them.

s0 is the label, only in learn; s1 is the prediction; v0 is the features. None of s0 and v0 is written by a tape. All
registers begin at 0. `setup` runs once; for each training example `predict`, then `learn`; then `predict` alone for
what is not trained on. Numbers are f64, as in the original, whose fitness they are to give again; f32, half the work at
best, was not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import ProgramError
from ontogeny.machine.swarm import learners_encode as encoding
from ontogeny.machine.swarm.learners_operations import BANKS, OPERATIONS, S, V

ROUTINES = ("setup", "predict", "learn")
MOST_FEATURES, MOST_REGISTERS = 16, 64
Row = tuple[int, int, int, int, float]


def _table() -> NDArray[np.int32]:
    table = np.full((max(OPERATIONS) + 1, 6), -1, np.int32)
    for number, operation in OPERATIONS.items():
        banks = [BANKS.index(bank) for bank in operation.takes] + [-1, -1]
        gives = BANKS.index(operation.gives)
        table[number] = (*banks[:2], gives, operation.kernel, operation.form, operation.places)
    return table


TABLE = _table()


@dataclass(frozen=True)
class Banks:
    """How many registers of each kind, and the number of features n: a vector has n elements, a matrix n times n."""

    scalars: int = 4
    vectors: int = 3
    matrices: int = 1
    features: int = 4

    def __post_init__(self) -> None:
        enough = self.scalars >= 2 and self.vectors >= 1 and self.matrices >= 0 and self.features >= 1
        registers = self.scalars + self.vectors + self.matrices
        if not enough or self.features > MOST_FEATURES or registers > MOST_REGISTERS:
            raise ProgramError(
                f"{self}; expected 2 scalars, a vector, 0 matrices or more, {MOST_REGISTERS} registers at most, 1 to "
                f"{MOST_FEATURES} features"
            )

    @property
    def sizes(self) -> NDArray[np.int32]:
        """As the compiled loops read them."""
        return np.array([self.scalars, self.vectors, self.matrices, self.features], np.int32)

    def count(self, bank: str) -> int:
        """Registers of a bank."""
        return (self.scalars, self.vectors, self.matrices)[BANKS.index(bank)]

    def first(self, bank: str) -> int:
        """The first register of a bank that a tape may write."""
        return 1 if bank in (S, V) else 0

    def shape(self, bank: str) -> tuple[int, ...]:
        """The shape of a register of a bank."""
        return (self.features,) * BANKS.index(bank)


@dataclass(frozen=True, eq=False)
class Tape:
    """A learner: the rows of its three routines, one after another, as many as `lengths` int32[3] says of each.

    `rows` int32[n, 4] are (operation, into, a, b), or for a constant in a place its place as a and b; `constants`
    f64[n]. The arrays are not to be written to.
    """

    banks: Banks
    rows: NDArray[np.int32]
    constants: NDArray[np.float64]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rows)

    def routine(self, name: str) -> range:
        """Which rows a routine has."""
        ends = np.cumsum([0, *self.lengths])
        place = ROUTINES.index(name)
        return range(int(ends[place]), int(ends[place + 1]))

    def instructions(self, name: str) -> Iterator[Row]:
        """The instructions of a routine."""
        for at in self.routine(name):
            number, into, a, b = map(int, self.rows[at])
            yield number, into, a, b, float(self.constants[at])

    def without(self, rows: Sequence[int]) -> Tape:
        """The tape with some rows left out."""
        kept = np.ones(len(self.rows), bool)
        kept[list(rows)] = False
        lengths = [int(kept[list(self.routine(name))].sum()) if self.routine(name) else 0 for name in ROUTINES]
        return Tape(self.banks, self.rows[kept], self.constants[kept], np.array(lengths, np.int32))

    def alive(self) -> NDArray[np.bool_]:
        """Which rows can reach a prediction, at their example or a later one."""
        kept = np.zeros(len(self.rows), np.uint8)
        encoding.mark(self.rows, self.lengths, TABLE, self.banks.sizes, kept)
        return kept.astype(bool)

    def stripped(self) -> Tape:
        """The tape without the rows that no prediction depends on: the same predictions, bit for bit."""
        return self.without(np.flatnonzero(~self.alive()).tolist())

    def __str__(self) -> str:
        return "\n".join(
            f"{name}:" + "".join(f"\n  {said(self.banks, row)}" for row in self.instructions(name)) for name in ROUTINES
        )


def said(banks: Banks, row: Row) -> str:
    """An instruction for people: `s3 = sub s0 s1`."""
    number, into, a, b, constant = row
    operation = OPERATIONS[number]
    if operation.constant:
        where = "".join(f"[{place % banks.features}]" for place in (a, b)[: operation.places])
        return f"{operation.gives}{into}{where} = {constant!r}"
    operands = " ".join(f"{bank}{index}" for bank, index in zip(operation.takes, (a, b), strict=False))
    return f"{operation.gives}{into} = {operation.name} {operands}"


def tape(
    banks: Banks, setup: Sequence[Sequence[Any]] = (), predict: Sequence[Sequence[Any]] = (),
    learn: Sequence[Sequence[Any]] = (),
) -> Tape:  # fmt: skip
    """A tape of rows (operation, into, a, b, constant), what is left out being 0. Raises ProgramError for a bad one."""
    routines = (setup, predict, learn)
    every = [_checked(banks, (*row, 0, 0, 0, 0)[:5]) for rows in routines for row in rows]
    rows = np.array([row[:4] for row in every], np.int32).reshape(-1, 4)
    constants = np.array([row[4] for row in every], np.float64)
    lengths = np.array([len(routine) for routine in routines], np.int32)
    for array in (rows, constants, lengths):
        array.flags.writeable = False
    return Tape(banks, rows, constants, lengths)


def _checked(banks: Banks, row: Sequence[Any]) -> Row:
    """The row with nothing in what its operation does not look at."""
    number, into, a, b, constant = row
    if number not in OPERATIONS:
        raise ProgramError(f"operation {number}; a tape has {', '.join(map(str, OPERATIONS))}")
    operation = OPERATIONS[number]
    looked = len(operation.takes) or operation.places
    named = (int(number), int(into), int(a) * (looked > 0), int(b) * (looked > 1), float(constant) * operation.constant)
    if not banks.first(operation.gives) <= into < banks.count(operation.gives):
        raise ProgramError(f"{said(banks, named)}: {operation.gives}{into} cannot be written; {banks}")
    for bank, index in zip(operation.takes, named[2:4], strict=False):
        if not 0 <= index < banks.count(bank):
            raise ProgramError(f"{said(banks, named)}: there is no {bank}{index}; {banks}")
    if not operation.places:
        return named
    return (*named[:2], named[2] % banks.features, named[3] % banks.features, named[4])
