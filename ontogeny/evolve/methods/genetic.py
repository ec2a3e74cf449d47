"""A genetic algorithm: tournaments for parents, a share of the children crossed, all of them changed; the best stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

import numpy as np

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.method import Numbers, ranks, single
from ontogeny.evolve.methods.breeding import Breeding, Generation, checked, offspring
from ontogeny.evolve.methods.population import Population, joined

Candidate = TypeVar("Candidate")


@dataclass(frozen=True)
class Genetic(Breeding[Candidate], Generic[Candidate]):
    """What candidates are made of, how many live, how many are drawn to a tournament, the share crossed, who stay."""

    DIALS: ClassVar[tuple[str, ...]] = ("population", "tournament", "crossing", "elites")

    genome: Genome[Candidate]
    population: int = 100
    tournament: int = 4
    crossing: float = 0.5
    elites: int = 2

    def __post_init__(self) -> None:
        checked(
            self, "crossing", population=self.population - self.elites, tournament=self.tournament, elites=self.elites
        )

    @property
    def first(self) -> int:
        """As many as live."""
        return self.population

    def bred(self, state: Generation, rng: np.random.Generator) -> tuple[Genes, Numbers]:
        """The best of two tournaments for each child, the later one of equals."""
        people, count = state.population, self.population - self.elites
        place = ranks(people.errors[:, 0], people.sizes, state.goal) * len(people) - np.arange(len(people))
        drawn = rng.integers(0, len(people), (count, 2, self.tournament))
        parents = np.take_along_axis(drawn, place[drawn].argmin(axis=2)[..., None], axis=2)[..., 0]
        return offspring(self.genome, state.space, people, parents, self.crossing, rng)

    def visited(self, state: Generation, guests: Population) -> Generation:
        """The guests in place of the last children."""
        if state.population.unjudged.any():
            return state
        return replace(state, population=joined([state.population[: -len(guests)], guests]))

    def together(self, states: Sequence[Generation]) -> Generation | None:
        """None: its best is all there is."""
        return None

    def kept(self, old: Population, judged: Population, goal: float) -> Population:
        """The best of the old, and all children."""
        single(judged.errors, "Genetic")
        best = np.argsort(ranks(old.errors[:, 0], old.sizes, goal), kind="stable")[: self.elites]
        return joined([old[best], judged]) if len(old) else judged
