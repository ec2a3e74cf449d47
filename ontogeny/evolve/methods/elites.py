"""MAP-Elites (Mouret and Clune 2015): the best candidate of every cell of a grid.

The fitness has several objectives: the first is the error, the others say where a candidate belongs, such as gates and
depth (`several`). Each of those is cut into `cells` between `low` and `high`; what lies outside counts to the cell at
the edge. A newcomer takes a cell from one that is no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.method import Best, Errors, Numbers, chance, ranks
from ontogeny.evolve.methods.breeding import Breeding, Generation, all_of, checked, offspring
from ontogeny.evolve.methods.population import Population, joined
from ontogeny.isa.errors import SearchError

SENDING = 1 << 32
"""Added to the seed, so that who is sent is drawn apart from who breeds."""
Candidate = TypeVar("Candidate")


@dataclass(frozen=True)
class Elites(Breeding[Candidate], Generic[Candidate]):
    """What candidates are made of, the grid, how many are drawn first, how many children at once, the share crossed."""

    DIALS: ClassVar[tuple[str, ...]] = ("offspring", "crossing")

    genome: Genome[Candidate]
    cells: tuple[int, ...] = (16, 8)
    low: tuple[float, ...] = (0.0, 0.0)
    high: tuple[float, ...] = (64.0, 16.0)
    initial: int = 200
    offspring: int = 100
    crossing: float = 0.2

    def __post_init__(self) -> None:
        checked(self, "crossing", initial=self.initial, offspring=self.offspring, cells=min(self.cells, default=0))
        if not len(self.cells) == len(self.low) == len(self.high) or any(np.subtract(self.high, self.low) <= 0):
            raise SearchError(f"a grid of {self.cells} cells from {self.low} to {self.high}; expected as many of each")

    @property
    def first(self) -> int:
        """How many are drawn."""
        return self.initial

    def bred(self, state: Generation, rng: np.random.Generator) -> tuple[Genes, Numbers]:
        """Children of elites drawn evenly."""
        parents = rng.integers(0, len(state.population), (self.offspring, 2))
        return offspring(self.genome, state.space, state.population, parents, self.crossing, rng)

    def kept(self, old: Population, judged: Population, goal: float) -> Population:
        """The best of every cell, the latest of equals; of those that failed only the last, where all did."""
        people = joined([old, judged]) if len(old) else judged
        cells = self.cells_of(people.errors)
        sound = np.flatnonzero(np.isfinite(people.errors).all(axis=1))
        if not len(sound):
            return people[-1:]
        place = ranks(people.errors[sound, 0], people.sizes[sound], goal)
        order = sound[np.lexsort((-sound, place, cells[sound]))]
        first = np.concatenate([[True], cells[order][1:] != cells[order][:-1]])
        return people[order[first]]

    def sent(self, state: Generation) -> Population | None:
        """The best, and a tenth of the other elites, drawn evenly."""
        people = state.population
        if people.unjudged.any():
            return None
        first, *others = np.argsort(ranks(people.errors[:, 0], people.sizes, state.goal), kind="stable").tolist()
        drawn = chance(state.seed + SENDING, state.evaluations).permutation(others)[: len(people) // 10]
        return people[np.array([first, *sorted(map(int, drawn))])]

    def cells_of(self, errors: Errors) -> Numbers:
        """The number of the cell of each, int64[n]. Raises SearchError where objectives and grid do not go together."""
        if errors.shape[1] != len(self.cells) + 1:
            raise SearchError(
                f"a grid of {len(self.cells)} sides for a fitness of {errors.shape[1]} objectives; expected an error "
                "and one objective for each side, as several(equals(...), ['gates', 'depth'])"
            )
        low, high, cells = (np.array(side, float) for side in (self.low, self.high, self.cells))
        share = np.nan_to_num((errors[:, 1:] - low) / (high - low), posinf=1.0)
        at = np.clip(np.floor(share * cells), 0, cells - 1).astype(np.int64)
        return np.asarray(np.ravel_multi_index(tuple(at.T), self.cells), np.int64)

    def front(self, state: Generation) -> Sequence[Best[Candidate]]:
        """All elites, the best first."""
        people = state.population
        return all_of(self, state, np.argsort(ranks(people.errors[:, 0], people.sizes, state.goal), kind="stable"))
