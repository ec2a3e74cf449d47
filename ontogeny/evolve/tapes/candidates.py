"""Learners as candidates: tapes of setup, predict and learn, their genes, and how well they learn tasks.

Genes are f64[rows, 5]; `kernels.py` says how they are laid out. Every change of a tape is a tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.genome import Genes, Genome, bits_from
from ontogeny.evolve.spaces import Space, expected
from ontogeny.evolve.tapes import kernels
from ontogeny.isa.errors import SearchError
from ontogeny.machine.swarm.learners import Tasks, desk, learners, memory
from ontogeny.machine.swarm.learners_operations import DEMO, OPERATIONS
from ontogeny.machine.swarm.learners_tape import TABLE, Banks, Tape, tape

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Learners(Space):
    """Tapes with so many registers of each bank, on so many features."""

    scalars: int = 4
    vectors: int = 3
    matrices: int = 1
    features: int = 4

    @property
    def banks(self) -> Banks:
        """As the machine knows them."""
        return Banks(self.scalars, self.vectors, self.matrices, self.features)


@dataclass(frozen=True)
class Instructions(Genome[Tape]):
    """Rows that setup, predict and learn have room for, which operations there are, and whether tapes begin empty.

    `changes` says how often each kind is drawn: an operand or constant altered, a row drawn anew, a routine drawn anew,
    a row more, a row less. After each change there is a further one with the chance `again`.
    """

    DIALS: ClassVar[tuple[str, ...]] = ("operations", "changes", "again")

    setup: int = 7
    predict: int = 3
    learn: int = 8
    operations: tuple[int, ...] = DEMO
    empty: bool = True
    changes: tuple[int, ...] = (4, 1, 1, 1, 1)
    again: float = 0.7

    def __post_init__(self) -> None:
        if len(self.changes) != 5 or min(self.changes) < 0 or not sum(self.changes) or not 0 <= self.again < 1:
            raise SearchError(
                f"changes {self.changes}, again {self.again}; expected five numbers, not all 0, and from 0 to below 1"
            )
        if min(self.room) < 0 or sum(self.room) < 1:
            raise SearchError(f"room for {self.room} rows; expected 0 or more for each routine, and some")
        if not self.operations or (unknown := set(self.operations) - set(OPERATIONS)):
            known = ", ".join(map(str, OPERATIONS))
            raise SearchError(f"operations {sorted(unknown) if self.operations else 'none'}; a tape has {known}")

    @property
    def room(self) -> tuple[int, int, int]:
        """Rows that each routine has room for."""
        return self.setup, self.predict, self.learn

    def making(self, space: Space) -> kernels.Making:
        """As the compiled loops read it. Raises SearchError for operations that a bank without registers would need."""
        banks = expected(space, Learners, "Instructions").banks
        for number in self.operations:
            operation = OPERATIONS[number]
            for bank in (*operation.takes, operation.gives):
                if banks.count(bank) <= (banks.first(bank) if bank == operation.gives else 0):
                    raise SearchError(f"operation {number} ({operation.name}) needs a register of {bank}; {banks}")
        changes = np.repeat(np.arange(5, dtype=np.int32), self.changes)
        return kernels.Making(
            np.array(self.room, np.int32), changes, self.again, np.array(self.operations, np.int32), TABLE, banks.sizes
        )

    def draw(self, space: Space, count: int, rng: np.random.Generator) -> Genes:
        """Empty tapes, or full ones at random."""
        genes, making = np.zeros((count, sum(self.room), 5)), self.making(space)
        if not self.empty:
            bits = bits_from(rng)
            for at in np.ndindex(genes.shape[:2]):
                kernels.draw(genes[at], making, bits)
        return genes

    def mutated(self, space: Space, genes: Genes, rng: np.random.Generator) -> Genes:
        """Each with a change of a row, or of a routine."""
        changed, making, bits = np.array(genes, np.float64), self.making(space), bits_from(rng)
        for one in changed:
            kernels.change(one, making, bits)
        return changed

    def crossed(self, space: Space, one: Genes, other: Genes, rng: np.random.Generator) -> Genes:
        """Each routine of either."""
        taken = np.repeat(rng.integers(0, 2, (len(one), 3), np.uint8), self.room, axis=1)
        return np.where(taken[:, :, None] != 0, one, other)

    def candidates(self, space: Space, genes: Genes) -> Tapes:
        """The tapes."""
        return Tapes(np.ascontiguousarray(genes, np.float64), self.room, expected(space, Learners, "Instructions"))

    def sizes(self, space: Space, genes: Genes) -> NDArray[np.int64]:
        """How many rows each has."""
        return np.asarray(np.count_nonzero(genes[:, :, 0], axis=1), np.int64)


@dataclass(frozen=True, eq=False)
class Tapes(Sequence[Tape]):
    """Tapes as their genes f64[n, rows, 5], for a fitness that judges these; each is made when it is taken."""

    genes: Floats
    room: tuple[int, int, int]
    space: Learners

    def __len__(self) -> int:
        return len(self.genes)

    @overload
    def __getitem__(self, at: int) -> Tape: ...
    @overload
    def __getitem__(self, at: slice) -> Tapes: ...
    def __getitem__(self, at: int | slice) -> Tape | Tapes:
        if isinstance(at, slice):
            return Tapes(self.genes[at], self.room, self.space)
        cuts = np.cumsum([0, *self.room])
        parts = (self.genes[at, first:last] for first, last in pairwise(cuts))
        return tape(self.space.banks, *([(*map(int, row[:4]), row[4]) for row in part if row[0]] for part in parts))


@dataclass(frozen=True, eq=False)
class Learning:
    """How badly tapes learn tasks: their mean error, from 0 to 1; what is no more than `enough` counts as 0, right.

    The error of a task is 2 / pi * arctan of its root mean squared error, so that 1 less it is AutoML-Zero's fitness.
    """

    tasks: Tasks
    space: Learners = field(default_factory=Learners)
    enough: float = 1e-4
    threads: int = 1
    objectives: tuple[str, ...] = field(default=("error",), init=False)
    failures: Sequence[str] = field(default=(), init=False)
    recipe: Recipe | None = field(default=None, init=False, repr=False)

    def errors(self, candidates: Sequence[Tape], /) -> Floats:
        """The error of each, f64[n]."""
        if isinstance(candidates, Tapes):
            genes, banks, found = candidates.genes, self.space.banks, np.empty(len(candidates))
            room, held = np.array(candidates.room, np.int32), desk(banks, genes.shape[1], len(self.tasks))
            kernels.judge(genes, room, held, self.tasks.on(banks), memory(0), found)
        else:
            found = learners(candidates, self.tasks, self.threads)
        return np.where(found <= self.enough, 0.0, found)


@made_by("learning", "enough")
def learning(
    features: Floats, labels: Floats, train: int, scalars: int = 4, vectors: int = 3, matrices: int = 1,
    enough: float = 1e-4,
) -> Learning:  # fmt: skip
    """Learning of tasks f64[tasks, examples, n] and f64[tasks, examples], by the first `train` of the examples."""
    space = Learners(scalars, vectors, matrices, features.shape[2])
    return Learning(Tasks(features, labels, train), space, enough)


def linear(count: int = 10, train: int = 100, valid: int = 100, features: int = 4, seed: int = 0) -> Tasks:
    """AutoML-Zero's tasks of scalar linear regression: features and weights normal, labels their product, no noise."""
    rng = np.random.default_rng(seed)
    given, weights = rng.standard_normal((count, train + valid, features)), rng.standard_normal((count, 1, features))
    return Tasks(given, np.ascontiguousarray((given * weights).sum(-1)), train)
