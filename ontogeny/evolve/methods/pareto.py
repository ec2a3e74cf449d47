"""NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002): several objectives at once, a front that none is better than.

Who is dominated by nobody comes first, then who is dominated by those alone, and so on; within a front who has more
room around. Of several with the same objectives the latest counts, and the others come last, lest they fill it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.method import Best, Errors, Numbers
from ontogeny.evolve.methods.breeding import Breeding, Generation, all_of, checked, offspring
from ontogeny.evolve.methods.population import Population, joined

Candidate = TypeVar("Candidate")


@dataclass(frozen=True)
class Pareto(Breeding[Candidate], Generic[Candidate]):
    """What candidates are made of, how many live, the share of children crossed."""

    DIALS: ClassVar[tuple[str, ...]] = ("population", "crossing")

    genome: Genome[Candidate]
    population: int = 200
    crossing: float = 0.2

    def __post_init__(self) -> None:
        checked(self, "crossing", population=self.population)

    @property
    def first(self) -> int:
        """As many as live."""
        return self.population

    def bred(self, state: Generation, rng: np.random.Generator) -> tuple[Genes, Numbers]:
        """Of two drawn the one that comes first in the order in which they are kept; two such make a child."""
        drawn = rng.integers(0, len(state.population), (self.population, 2, 2))
        return offspring(self.genome, state.space, state.population, drawn.min(axis=2), self.crossing, rng)

    def kept(self, old: Population, judged: Population, goal: float) -> Population:
        """The first of all by front and room, in that order."""
        people = joined([old, judged]) if len(old) else judged
        return people[order(people.errors)[: self.population]]

    def sent(self, state: Generation) -> Population | None:
        """Of the front those with the most room, no more than a tenth of the population; they stand first."""
        people = state.population
        if people.unjudged.any():
            return None
        first = int(((fronts(people.errors) == 0) & ~repeated(people.errors)).sum())
        return people[: max(1, min(first, len(people) // 10))]

    def front(self, state: Generation) -> Sequence[Best[Candidate]]:
        """Who is dominated by nobody, by the first objective, each pair of objectives once."""
        errors = state.population.errors
        if np.isnan(errors).any():
            return [self.best(state)]
        first = np.flatnonzero((fronts(errors) == 0) & ~repeated(errors) & np.isfinite(errors).all(axis=1))
        return all_of(self, state, first[np.lexsort(errors[first].T[::-1])]) or [self.best(state)]


def order(errors: Errors) -> Numbers:
    """Places of f64[n, objectives], the first to be kept first."""
    again, front, room = repeated(errors), fronts(errors), np.zeros(len(errors))
    for number in np.unique(front):
        members = np.flatnonzero((front == number) & ~again)
        room[members] = rooms(errors[members])
    return np.lexsort((-room, front, again))


def repeated(errors: Errors) -> NDArray[np.bool_]:
    """Which have the objectives of a later one, bool[n]."""
    latest = len(errors) - 1 - np.unique(errors[::-1], axis=0, return_index=True)[1]
    found = np.ones(len(errors), bool)
    found[latest] = False
    return found


def fronts(errors: Errors) -> Numbers:
    """The front of each, from 0: who is dominated by nobody but those of earlier fronts."""
    no_worse, better = errors[:, None] <= errors[None], errors[:, None] < errors[None]
    by: NDArray[np.bool_] = np.asarray(no_worse.all(axis=2) & better.any(axis=2))
    front, left = np.full(len(errors), -1), by.sum(axis=0)
    number = 0
    while (front < 0).any():
        members = (front < 0) & (left == 0)
        front[members] = number
        left = left - by[members].sum(axis=0)
        number += 1
    return front


def rooms(errors: Errors) -> NDArray[np.float64]:
    """How much room each has around it in its front, infinite at the ends."""
    room = np.zeros(len(errors))
    for column in np.where(np.isfinite(errors), errors, np.finfo(np.float64).max).T:
        places = np.argsort(column, kind="stable")
        spread = column[places[-1]] - column[places[0]] or 1.0
        room[places[[0, -1]]] = np.inf
        room[places[1:-1]] += (column[places[2:]] - column[places[:-2]]) / spread
    return room
