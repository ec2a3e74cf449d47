"""Weights judged on a batch of the examples, another one in every generation; what was found is judged on all of them.

The batch is a function of (seed, evaluations before the generation): the same whoever judges which candidate, and after
a search was cut off and went on. Strategies about a centre compare candidates of one generation alone, and are made
for it; a method that keeps errors from one generation to the next compares those of different batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.method import chance
from ontogeny.evolve.weights.candidates import Vector, Weights
from ontogeny.evolve.weights.network import Network
from ontogeny.isa.errors import SearchError

DRAWN = 1 << 33
"""Added to the seed, so that batches are drawn apart from what a method draws by the same seed."""


@dataclass(frozen=True, eq=False)
class Batched:
    """A network's fitness with `size` examples to a batch; by itself, without `at`, it judges on all."""

    network: Network
    size: int
    seed: int = 0
    failures: Sequence[str] = field(default=(), init=False)
    recipe: Recipe | None = field(default=None, init=False, repr=False)

    @property
    def objectives(self) -> tuple[str, ...]:
        """The network's."""
        return self.network.objectives

    @property
    def space(self) -> Weights:
        """The network's."""
        return self.network.space

    def errors(self, candidates: Sequence[Vector], /) -> NDArray[np.float64]:
        """The error of each on all examples, f64[n]."""
        return self.network.errors(candidates)

    def rows(self, evaluations: int) -> NDArray[np.int64]:
        """The examples of the generation before which so many candidates were judged, int64[size], in order."""
        drawn = chance(self.seed + DRAWN, evaluations).choice(len(self.network.x), self.size, replace=False)
        return np.sort(drawn)

    def at(self, evaluations: int) -> Network:
        """The fitness of that generation."""
        rows = self.rows(evaluations)
        return replace(self.network, x=self.network.x[rows], labels=self.network.labels[rows])


@made_by("batched", "size")
def batched(fitness: Network, size: int, seed: int = 0) -> Batched:
    """A network's fitness on `size` examples at a time, drawn without repeats anew for every generation by `seed`.

    Raises SearchError for what is no network's, and for a size that is none.
    """
    if not isinstance(fitness, Network):
        raise SearchError(f"batches of the examples of a {type(fitness).__name__}; expected a fitness by network(...)")
    if not 1 <= size <= len(fitness.x):
        raise SearchError(f"batches of {size} of {len(fitness.x)} examples; expected 1 up to all of them")
    return Batched(fitness, int(size), seed)
