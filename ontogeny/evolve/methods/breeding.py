"""What methods with generations have in common: who breeds and who stays is all that each of them says itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.method import Asked, Best, Errors, Method, Numbers, chance, ranks
from ontogeny.evolve.methods.population import Population, again, asked, best_of, drawn, filled, told
from ontogeny.evolve.spaces import Space
from ontogeny.isa.errors import SearchError

Candidate = TypeVar("Candidate")


@dataclass(frozen=True, eq=False)
class Generation:
    """Where it stands: the present population, and by which goal it was told last."""

    population: Population
    space: Space
    seed: int
    evaluations: int = 0
    goal: float = 0.0


class Breeding(Method[Candidate, Generation], Protocol[Candidate]):
    """A method over a genome. `first` is how many are drawn; `bred` and `kept` are what it is."""

    genome: Genome[Candidate]

    @property
    def first(self) -> int:
        """How many candidates it begins with."""

    def bred(self, state: Generation, rng: np.random.Generator) -> tuple[Genes, Numbers]:
        """Children, and the numbers of their parents int64[n, 2]."""

    def kept(self, old: Population, judged: Population, goal: float) -> Population:
        """Who of the old and of those just judged is the next population. `old` is empty where all were just judged."""

    def begin(self, space: Space, seed: int) -> Generation:
        """The first ones, drawn, not judged yet."""
        return Generation(drawn(self.genome, space, self.first, chance(seed, 0)), space, seed)

    def ask(self, state: Generation) -> Asked[Candidate]:
        """The children of one generation; first all that are not judged."""
        if (waiting := again(self.genome, state.space, state.population)) is not None:
            return waiting
        genes, parents = self.bred(state, chance(state.seed, state.evaluations))
        return asked(self.genome, state.space, genes, parents)

    def tell(self, state: Generation, asked: Asked[Candidate], errors: Errors, goal: float = 0.0) -> Generation:
        """The next population."""
        judged, old = told(self.genome, state.space, asked, errors, state.evaluations), state.population
        if old.unjudged.any():
            judged, old = filled(old, judged), old[:0]
        after = state.evaluations + len(errors)
        return replace(state, population=self.kept(old, judged, goal), evaluations=after, goal=goal)

    def best(self, state: Generation) -> Best[Candidate]:
        """The best of the population."""
        people = state.population
        place = np.where(people.unjudged, len(people), ranks(people.errors[:, 0], people.sizes, state.goal))
        return best_of(self.genome, state.space, people, int(place.argmin()))

    def sent(self, state: Generation) -> Population | None:
        """The best of the population."""
        people = state.population
        at = int(ranks(people.errors[:, 0], people.sizes, state.goal).argmin())
        return None if people.unjudged.any() else people[at : at + 1]

    def visited(self, state: Generation, guests: Population) -> Generation:
        """Guests are kept or not by the rule by which children are."""
        if state.population.unjudged.any():
            return state
        return replace(state, population=self.kept(state.population, guests, state.goal))

    def together(self, states: Sequence[Generation]) -> Generation | None:
        """All populations as one, by the same rule."""
        if any(state.population.unjudged.any() for state in states):
            return None
        return reduce(lambda one, other: self.visited(one, other.population), states)

    def doubted(self, state: Generation) -> Generation:
        """The population, to be judged again."""
        return replace(state, population=state.population.doubted())


def all_of(method: Breeding[Candidate], state: Generation, places: Numbers) -> Sequence[Best[Candidate]]:
    """Some of the population, as a search tells them."""
    return [best_of(method.genome, state.space, state.population, int(place)) for place in places]


def checked(method: Any, share: str = "", **counts: int) -> None:
    """Raises SearchError for a count below 1, or a share that is not between 0 and 1."""
    if small := [f"{name}={count}" for name, count in counts.items() if count < 1]:
        raise SearchError(f"{type(method).__name__}: {', '.join(small)}; expected 1 or more")
    if share and not 0 <= getattr(method, share) <= 1:
        raise SearchError(f"{type(method).__name__}: {share}={getattr(method, share)}; expected 0 to 1")


def offspring(
    genome: Genome[Any], space: Space, people: Population, parents: Numbers, crossing: float, rng: np.random.Generator
) -> tuple[Genes, Numbers]:
    """A changed child of each pair of places int64[n, 2]; a share crossed before, the others of the first.

    With the numbers of their parents, -1 for a second one that had no part.
    """
    crossed = rng.random(len(parents)) < crossing
    genes, numbers = np.array(people.genes[parents[:, 0]]), people.numbers[parents]
    if crossed.any():
        genes[crossed] = genome.crossed(space, genes[crossed], people.genes[parents[crossed, 1]], rng)
    numbers[~crossed, 1] = -1
    return genome.mutated(space, genes, rng), numbers
