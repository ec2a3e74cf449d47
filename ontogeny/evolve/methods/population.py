"""A population: genes with their errors, sizes and numbers, for every method that keeps several candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.genome import Genes, Genome
from ontogeny.evolve.method import Asked, Best, Errors, Numbers
from ontogeny.evolve.spaces import Space

Candidate = TypeVar("Candidate")


@dataclass(frozen=True, eq=False)
class Population:
    """Genes [n, ...], errors f64[n, objectives] with NaN for what is not judged, sizes and numbers int64[n]."""

    genes: Genes
    errors: Errors
    sizes: Numbers
    numbers: Numbers

    def __len__(self) -> int:
        return len(self.genes)

    @property
    def unjudged(self) -> NDArray[np.bool_]:
        """Which are to be judged yet, bool[n]."""
        return np.isnan(self.errors[:, 0])

    def doubted(self) -> Population:
        """The same, to be judged again."""
        return replace(self, errors=np.full((len(self), 1), np.nan))

    def __getitem__(self, at: Any) -> Population:
        """Some of them: a slice, numbers, or bool[n]."""
        return Population(self.genes[at], self.errors[at], self.sizes[at], self.numbers[at])


def drawn(genome: Genome[Any], space: Space, count: int, rng: np.random.Generator) -> Population:
    """A first population, not judged yet."""
    none = np.full(count, -1)
    return Population(genome.draw(space, count, rng), np.full((count, 1), np.nan), np.zeros(count, np.int64), none)


def alone(genes: Genes, error: float, number: int = -1) -> Population:
    """One that was judged, whose size says nothing."""
    return Population(genes[None], np.array([[error]]), np.zeros(1, np.int64), np.array([number]))


def joined(parts: Sequence[Population]) -> Population:
    """Several populations as one. All are judged by as many objectives."""
    return Population(
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("genes", "errors", "sizes", "numbers"))
    )


def again(genome: Genome[Candidate], space: Space, population: Population) -> Asked[Candidate] | None:
    """What is not judged yet, to be asked before anything else; None where all are."""
    waiting = population[population.unjudged]
    return asked(genome, space, waiting.genes, waiting.numbers[:, None]) if len(waiting) else None


def asked(genome: Genome[Candidate], space: Space, genes: Genes, parents: Numbers) -> Asked[Candidate]:
    """Genes, asked with what they came from."""
    return Asked(genes, genome.candidates(space, genes), parents)


def told(genome: Genome[Any], space: Space, asked: Asked[Any], errors: Errors, first: int) -> Population:
    """Those that were asked, with what was told; the first of them has the number `first`."""
    rows = errors.reshape(len(errors), -1)
    return Population(asked.genes, rows, genome.sizes(space, asked.genes), first + np.arange(len(rows)))


def filled(population: Population, judged: Population) -> Population:
    """The population with its unjudged ones in the form in which they were judged, each in its place."""
    if len(judged) == len(population):
        return judged
    places, errors = population.unjudged, np.array(population.errors)
    sizes, numbers = population.sizes.copy(), population.numbers.copy()
    errors[places], sizes[places], numbers[places] = judged.errors, judged.sizes, judged.numbers
    return Population(population.genes, errors, sizes, numbers)


def best_of(genome: Genome[Candidate], space: Space, population: Population, at: int) -> Best[Candidate]:
    """One of them, as a search tells it; errors are infinite where it is not judged."""
    errors = tuple(float(error) for error in np.nan_to_num(population.errors[at], nan=np.inf, posinf=np.inf))
    return Best(genome.candidates(space, population.genes[at : at + 1])[0], errors, int(population.sizes[at]))
