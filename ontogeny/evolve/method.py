"""What a method of search is: it begins, asks for the errors of candidates, is told them, and knows the best so far.

A search is a pure function of (method, fitness, seed, journal). So a method is a frozen dataclass whose fields are its
dials, and all that a search has learned stands in a frozen state of arrays and numbers, chance too: what is drawn comes
from `chance(seed, evaluations)`, or from random bits that the state holds. No method looks at a clock or keeps anything
in itself. Candidates are numbered in the order in which they are judged, from 0: that is what lineage goes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError

if TYPE_CHECKING:
    from ontogeny.evolve.methods.population import Population

Errors = NDArray[np.float64]
"""f64[n] of n candidates, or f64[n, objectives]; lower is better, infinite where one failed."""
Numbers = NDArray[np.int64]


class State(Protocol):
    """Where a search stands: a frozen dataclass of arrays, numbers, words, None, and of tuples and records of these."""

    @property
    def evaluations(self) -> int:
        """How many candidates were judged so far."""


Candidate = TypeVar("Candidate")
S = TypeVar("S", bound=State)


@dataclass(frozen=True, eq=False)
class Asked(Generic[Candidate]):
    """One generation to be judged: `genes` [n, ...], what the `candidates` are made of, and those themselves.

    `parents` int64[n, k]: the numbers of those that each came from, -1 for nobody; None where that makes no sense.
    `rng` uint64[...]: the random bits after it, of a method whose state holds them.
    """

    genes: NDArray[Any]
    candidates: Sequence[Candidate]
    parents: Numbers | None = None
    rng: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))


@dataclass(frozen=True, eq=False)
class Best(Generic[Candidate]):
    """A candidate with its errors, infinite where it was not judged yet, and its size (gates, instructions)."""

    candidate: Candidate
    errors: tuple[float, ...] = (np.inf,)
    size: int = 0

    @property
    def error(self) -> float:
        """The first of the errors."""
        return self.errors[0]


class Method(Protocol[Candidate, S]):
    """A way to search. Subclass it, as a frozen dataclass; one file each, and a line in `kinds.py`."""

    DIALS: ClassVar[tuple[str, ...]] = ()
    """The fields that may be turned while a search goes on."""

    def begin(self, space: Space, seed: int) -> S:
        """The first state; nothing in it is judged yet. Raises SearchError for a space that it cannot search."""

    def ask(self, state: S) -> Asked[Candidate]:
        """Who is to be judged next; first those in the state that are not judged. A pure function of the state."""

    def tell(self, state: S, asked: Asked[Candidate], errors: Errors, goal: float = 0.0) -> S:
        """The state after that generation, with so many more evaluations. What is no worse than `goal` is right."""

    def best(self, state: S) -> Best[Candidate]:
        """The best so far."""

    def present(self, state: S) -> Candidate:
        """Where the search stands now, if that is another than the best: worth a look where errors are of a batch."""
        return self.best(state).candidate

    def doubted(self, state: S) -> S:
        """The state with its errors forgotten, so that `ask` has them judged again: the fitness was turned."""

    def turned(self, state: S) -> S:
        """The state as this method can go on from, after one of its dials was turned."""
        return state

    def sent(self, state: S) -> Population | None:
        """Whom an island sends to the next, with their errors and numbers; None as long as nobody there is judged.

        A method that has neither this nor `visited` keeps no candidates that could go anywhere: no islands of it.
        """
        return None

    def visited(self, state: S, guests: Population) -> S:
        """An island's state once those that another sent, judged by the same fitness, have come."""
        return state

    def together(self, states: Sequence[S]) -> S | None:
        """Several islands as one state whose `front` is that of all; None where the best of them is all there is."""
        return None

    def front(self, state: S) -> Sequence[Best[Candidate]]:
        """All that are worth a look, the best first: a Pareto front, a map's elites; else the best alone."""
        return [self.best(state)]

    def leg(self, state: S, fitness: Fitness[Candidate], most: int, until: bool) -> S | None:
        """Generations until `most` further evaluations or, if `until`, the first right one: compiled, all by itself.

        None where it has no fast way for this fitness. It goes exactly where `ask` and `tell` go with a goal of 0.
        """
        return None


def chance(seed: int, evaluations: int) -> np.random.Generator:
    """Random numbers of one generation: a function of the search's seed and the evaluations before it."""
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, evaluations], np.uint64)))


def ranks(errors: Errors, sizes: Numbers, goal: float) -> Numbers:
    """Places int64[n] from 0, the best, shared by equals: by error, and among those that are right by size."""
    right = errors <= goal
    keys = np.stack([np.where(right, goal, errors), np.where(right, sizes, 0)], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def single(errors: Errors, method: str) -> Errors:
    """f64[n]. Raises SearchError where there are several objectives, and the method goes by one."""
    if errors.ndim == 1:
        return errors
    if errors.shape[1] == 1:
        return np.ascontiguousarray(errors[:, 0])
    raise SearchError(
        f"{method} goes by one error, and the fitness has {errors.shape[1]} objectives; choose Pareto or Elites, or "
        "weigh them into one"
    )
