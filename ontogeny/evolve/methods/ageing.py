"""Regularised evolution (Real, Aggarwal, Huang and Le 2019): the oldest die, however good they are.

A generation is `offspring` tournaments on the same population, each of `tournament` members drawn with replacement; the
best of each, the youngest among equals, has one child by a change. The children join, and as many of the oldest leave.
With one child to a generation that is the original; more let a fitness judge many at once. The best ever judged is kept
beside the population, and breeds no more once it has left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

import numpy as np

from ontogeny.evolve.genome import Genome
from ontogeny.evolve.method import Asked, Best, Errors, Method, chance, ranks, single
from ontogeny.evolve.methods.population import Population, again, asked, best_of, drawn, filled, joined, told
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError

Candidate = TypeVar("Candidate")


@dataclass(frozen=True, eq=False)
class Aged:
    """Where it stands: the living, the oldest first, and the best ever judged, alone."""

    living: Population
    elite: Population
    space: Space
    seed: int
    evaluations: int = 0
    goal: float = 0.0


@dataclass(frozen=True)
class Ageing(Method[Candidate, Aged], Generic[Candidate]):
    """What candidates are made of, how many live, how many are drawn to a tournament, how many children at once."""

    DIALS: ClassVar[tuple[str, ...]] = ("population", "tournament", "offspring")

    genome: Genome[Candidate]
    population: int = 100
    tournament: int = 10
    offspring: int = 1

    def __post_init__(self) -> None:
        if min(self.population, self.tournament, self.offspring) < 1:
            raise SearchError(
                f"a population of {self.population}, tournaments of {self.tournament}, {self.offspring} offspring; "
                "expected 1 or more of each"
            )

    def begin(self, space: Space, seed: int) -> Aged:
        """As many as live, drawn, not judged yet."""
        living = drawn(self.genome, space, self.population, chance(seed, 0))
        return Aged(living, living[:1], space, seed)

    def ask(self, state: Aged) -> Asked[Candidate]:
        """The children of one generation; first all that live and are not judged."""
        if (waiting := again(self.genome, state.space, state.living)) is not None:
            return waiting
        living, rng = state.living, chance(state.seed, state.evaluations)
        drawn = rng.integers(0, len(living), (self.offspring, self.tournament))
        place = ranks(living.errors[:, 0], living.sizes, state.goal) * len(living) - np.arange(len(living))
        parents = living[drawn[np.arange(self.offspring), place[drawn].argmin(axis=1)]]
        children = self.genome.mutated(state.space, parents.genes, rng)
        return asked(self.genome, state.space, children, parents.numbers[:, None])

    def tell(self, state: Aged, asked: Asked[Candidate], errors: Errors, goal: float = 0.0) -> Aged:
        """The children are the youngest now; of the oldest, those go for whom there is no more room."""
        judged = told(self.genome, state.space, asked, single(errors, "Ageing"), state.evaluations)
        waited = state.living.unjudged.any()
        living = filled(state.living, judged) if waited else joined([state.living, judged])[-self.population :]
        elite = best(joined([state.elite, judged]), goal)
        return replace(state, living=living, elite=elite, evaluations=state.evaluations + len(judged), goal=goal)

    def best(self, state: Aged) -> Best[Candidate]:
        """The best ever judged."""
        return best_of(self.genome, state.space, state.elite, 0)

    def doubted(self, state: Aged) -> Aged:
        """All that live are judged again, and the best ever, as the youngest of them."""
        known = [] if state.elite.unjudged.any() or state.elite.numbers[0] in state.living.numbers else [state.elite]
        return replace(state, living=joined([state.living, *known]).doubted(), elite=state.elite.doubted())

    def sent(self, state: Aged) -> Population | None:
        """The best ever judged."""
        return None if state.elite.unjudged.any() else state.elite

    def visited(self, state: Aged, guests: Population) -> Aged:
        """The guests as the youngest, and the best of all."""
        if state.elite.unjudged.any() or state.living.unjudged.any():
            return state
        living = joined([state.living, guests])[-self.population :]
        return replace(state, living=living, elite=best(joined([state.elite, guests]), state.goal))


def best(population: Population, goal: float) -> Population:
    """The best of those that are judged, alone; the first of equals."""
    judged = population[~population.unjudged]
    at = ranks(judged.errors[:, 0], judged.sizes, goal).argmin()
    return judged[at : at + 1]
